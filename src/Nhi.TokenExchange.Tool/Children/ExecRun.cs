namespace Nhi.TokenExchange;

/// <summary>One run of <c>nhi exec</c>: the broker, the files, the program, and the end of all of it.</summary>
internal sealed class ExecRun(JobSession session, JobSettings settings, ExecTargets wanted, string[] program, ChildSignals signals, Screen screen)
{
    private readonly string _name = NameOf(program[0]);

    /// <returns>What the program ended with; or <see cref="ChildProgram.JobEnded"/>.</returns>
    /// <exception cref="TokenExchangeException">The job was ended before the program started, or can't give what is wanted.</exception>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        ThrowIfEnded();
        using var folder = HelperFolder.Open();
        int code = wanted.NeedsBroker ? await RunBesideBrokerAsync(folder, cancellationToken).ConfigureAwait(false) : await RunProgramAsync(folder, null, cancellationToken).ConfigureAwait(false);
        signals.BeginEnd();
        JobReport report = await session.CompleteAsync(CancellationToken.None).ConfigureAwait(false);
        // Also of a run that went well: who reads its output is to know which copy works on, and until when.
        foreach (LeaseOutcome lease in report.Leases.Where(lease => lease.End is LeaseEnd.CannotBeRevoked or LeaseEnd.LivesOn))
            await screen.Error.WriteLineAsync($"nhi: {lease}").ConfigureAwait(false);
        if (!report.AllEnded)
            await screen.Error.WriteLineAsync(report.ToString()).ConfigureAwait(false);
        return code;
    }

    private async Task<int> RunBesideBrokerAsync(HelperFolder folder, CancellationToken cancellationToken)
    {
        TokenBroker broker = await UnlessEndedAsync(() => TokenBroker.StartAsync(session, options =>
        {
            options.Folder = folder.Path;
            options.Logging = new ScreenLogging(screen.Error);
            wanted.AddTo(options, session);
        }, cancellationToken)).ConfigureAwait(false);
        await using (broker.ConfigureAwait(false))
        {
            BrokerClient client = await UnlessEndedAsync(() => Task.FromResult(broker.Admit(_name))).ConfigureAwait(false);
            await using (client.ConfigureAwait(false))
                return await RunProgramAsync(folder, client, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<int> RunProgramAsync(HelperFolder folder, BrokerClient? client, CancellationToken cancellationToken)
    {
        using HelperFolder? programs = wanted.Docker.Count > 0 ? HelperFolder.OpenForPrograms() : null;
        var caller = new CredentialCaller($"exec {Path.GetFileName(folder.Path)}", _name);
        PostgresServices postgres = await PostgresServices.OpenAsync(folder, wanted.PostgresServicesOf(session, settings, caller), screen.Error.WriteLine, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        await using (postgres.ConfigureAwait(false))
        {
            ThrowIfEnded();
            return await RunUntilJobEndsAsync(() => ChildProgram.RunAsync(
                program,
                client,
                environment =>
                {
                    wanted.ApplyRegion(session, environment);
                    AwsProfiles.Apply(folder, wanted.AwsProfilesOf(session), environment);
                    postgres.Apply(environment);
                    GitCredentials.Apply(wanted.Git, environment);
                    GoogleCredentialFile.Apply(folder, wanted.GoogleAdc, environment);
                    KubeConfig.Apply(folder, wanted.Kubectl, environment);
                    DockerCredentials.Apply(folder, programs, wanted.Docker, environment);
                },
                signals,
                screen.Error)).ConfigureAwait(false);
        }
    }

    // A program goes on without access, and would end well with half of its work done: so it is told to end, and whoever started nhi is told why.
    private async Task<int> RunUntilJobEndsAsync(Func<Task<int>> run)
    {
        int code;
        bool isCutShort = false;
        using (session.Ended.Register(() =>
        {
            isCutShort = true;
            Quietly.Do(() => screen.Error.WriteLine($"nhi: {Ended.Message} The program is told to end (SIGTERM)."));
            signals.TellToEnd();
        }))
        {
            code = await run().ConfigureAwait(false);
        }
        return isCutShort ? ChildProgram.JobEnded : code;
    }

    // A broker stops with its job, and starts beside none that is over.
    private async Task<T> UnlessEndedAsync<T>(Func<Task<T>> start)
    {
        try
        {
            return await start().ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (session.Ended.IsCancellationRequested)
        {
            throw Ended;
        }
    }

    private void ThrowIfEnded()
    {
        if (session.Ended.IsCancellationRequested)
            throw Ended;
    }

    private TokenExchangeException Ended => session.JobEnded(wanted.First);

    // What rules know it by.
    private static string NameOf(string program) =>
        ExceptionText.Clean(Path.GetFileName(program), 99) is { } name && !string.IsNullOrWhiteSpace(name) ? name : throw new UsageException($"command: '{ExceptionText.Clean(program)}' is no program. Name a file, or a program that PATH leads to.");
}
