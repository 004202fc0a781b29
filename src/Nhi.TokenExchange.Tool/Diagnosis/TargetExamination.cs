using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>Examines one target of a running job, stage by stage, up to the first that fails.</summary>
internal sealed class TargetExamination(JobSession session, TargetRuntime target, TrustedValues trusted, WireObserver wire, EventObserver events)
{
    // Below it nobody refuses anything for the clocks.
    private static readonly TimeSpan ClockLeeway = TimeSpan.FromSeconds(60);

    private readonly TimeProvider _time = session.Plan.Time;
    private readonly List<StageResult> _results = [];
    private Jwt? _proof;
    private bool _addressIsInDoubt;

    /// <summary>Examines it.</summary>
    /// <param name="progress">Told what is being done.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<TargetReport> RunAsync(Action<string> progress, CancellationToken cancellationToken)
    {
        _results.Add(StageResult.Ok(Stage.Settings, $"{target.Plan.Exchanger.CredentialType.Name} of {target.Plan.Exchanger.Issuer}, {(target.Plan.Through is { } hop ? $"through '{hop}'" : $"identity '{target.Plan.Identity!.Name}'")}"));
        if (session.Ended.IsCancellationRequested)
            _results.Add(StageResult.Failed(Stage.Start, session.JobEnded(target.Target)));
        progress($"{target.Target}: proof");
        if (IsWell && target.Plan.Identity is { } identity)
            await ProveAsync(identity, cancellationToken).ConfigureAwait(false);
        progress($"{target.Target}: network");
        Uri issuer = target.Plan.Exchanger.Issuer;
        // An address that is wrong makes the audience wrong that is made from it: so the way there is gone before one of the two is called wrong.
        if ((IsWell || _addressIsInDoubt) && !target.Plan.Exchanger.IsPlatformIssued && NetworkProbe.Applies(issuer))
            _results.AddRange(await new NetworkProbe(issuer, AddressSetting, session.Plan.Roots, _time).GoAsync(cancellationToken).ConfigureAwait(false));
        if (_addressIsInDoubt && _results.Exists(result => result.Verdict == Verdict.Failed && result.Stage != Stage.Audience))
            _results[_results.FindIndex(result => result.Stage == Stage.Audience)] = StageResult.Warning(Stage.Audience, $"expected is '{ExceptionText.Clean(target.Plan.Exchanger.SubjectAudience.ToString(), 300)}', which the proof is not for; that is made from the address that is not reached", $"Correct {AddressSetting} first, if it is wrong.");
        progress($"{target.Target}: exchange");
        if (IsWell)
            await ExchangeAsync(cancellationToken).ConfigureAwait(false);
        return new TargetReport(target.Target, [.. _results.OrderBy(result => result.Stage)]);
    }

    private string AddressSetting => IssuerAddress.SettingOf(target.Plan);

    private bool IsWell => _results.All(result => result.Verdict != Verdict.Failed);

    private async Task ProveAsync(IdentityPlan identity, CancellationToken cancellationToken)
    {
        long start = _time.GetTimestamp();
        try
        {
            (AttestedProof proof, Jwt? jwt) = await ProofLook.TakeAsync(session, target, identity, token => _results.Add(StageResult.Ok(Stage.Identity, $"'{identity.Name}' gives a proof ({token.Fingerprint})", _time.GetElapsedTime(start))), cancellationToken).ConfigureAwait(false);
            _proof = jwt;
            string platform = proof.Platform is { } name ? $", of {name}" : proof.WorkloadIsAsserted ? ", a workload's by the configuration's word alone" : "";
            _results.Add(StageResult.Ok(Stage.Claims, jwt is null ? $"an opaque proof{platform}" : $"{ExceptionText.Clean(proof.Issuer, 200)} says {ExceptionText.Clean(proof.Subject, 300)}{platform}, good until {Instant(proof.ExpiresAt)}"));
            _results.Add(StageResult.Ok(Stage.Audience, ExceptionText.Clean(target.Plan.Exchanger.SubjectAudience.ToString(), 300)));
        }
        catch (TokenExchangeException failed)
        {
            StageResult result = StageResult.Failed(FailedStage.Of(failed), failed, _time.GetElapsedTime(start));
            _addressIsInDoubt = result.Stage == Stage.Audience && IssuerAddress.MakesAudience(target.Plan.Exchanger);
            _results.Add(!_addressIsInDoubt ? result : result with
            {
                Said = $"{result.Said} What is expected is made from {AddressSetting}: one of the two is wrong.",
                Remedy = $"Compare {AddressSetting} with the address by which the issuer names itself: a slash at the end, upper and lower case, http and https count. If it is right: {result.Remedy}",
            });
        }
    }

    private async Task ExchangeAsync(CancellationToken cancellationToken)
    {
        _ = wire.Take();
        long start = _time.GetTimestamp();
        try
        {
            Credential credential = await target.GetForNextHopAsync(onlyHeld: false, cancellationToken).ConfigureAwait(false);
            TellPolicy();
            TellExchange(wire.Take(), _time.GetElapsedTime(start));
            TellGrant(credential);
        }
        catch (TokenExchangeException failed)
        {
            TellPolicy();
            TellFailure(failed, wire.Take(), _time.GetElapsedTime(start));
        }
    }

    private void TellPolicy()
    {
        if (events.Last(target.Target, AuditEventKind.Permitted) is not { } permitted)
            return;
        TimeSpan? took = events.Last(target.Target, AuditEventKind.Attested) is { } attested ? permitted.Elapsed - attested.Elapsed : null;
        string said = $"permitted by rule '{ExceptionText.Clean(permitted.Rule, 200)}' of {ExceptionText.Clean(permitted.PolicyRevision, 40)}";
        _results.Add(permitted.IsObserved
            ? StageResult.Warning(Stage.Policy, $"only observing: {ExceptionText.Clean(permitted.Reason, 300)}", "Take \"mode\": \"observe\" out of the policy when it says what it should.", took)
            : StageResult.Ok(Stage.Policy, said, took));
    }

    private void TellFailure(TokenExchangeException failed, IReadOnlyList<WireObserver.Answer> answers, TimeSpan took)
    {
        Stage stage = FailedStage.Of(failed);
        if (stage == Stage.Exchange && failed.Code == ErrorCodes.IssuerUnreachable)
            stage = answers.LastOrDefault(answer => answer.Failure is not null)?.Failure switch
            {
                HttpRequestError.NameResolutionError => Stage.Dns,
                HttpRequestError.SecureConnectionError => Stage.Tls,
                HttpRequestError.ProxyTunnelError => Stage.Proxy,
                HttpRequestError.ConnectionError => Stage.Connect,
                _ => Stage.Exchange,
            };
        // A good proof that is called ended, or not good yet, by a clock that is elsewhere.
        TimeSpan? clock = answers.LastOrDefault(answer => answer.ClockDifference?.Duration() >= ClockLeeway)?.ClockDifference;
        string? differences = _proof is null ? null : trusted.DifferencesFrom(_proof);
        if (stage == Stage.Trust && clock is { } difference && differences is null)
        {
            _results.Add(StageResult.Failed(Stage.Clock, failed, took, $"{ClockText(difference)} That alone makes a good proof seem ended, or not good yet. Set the clock that is wrong."));
            return;
        }
        TellClock(answers);
        _results.Add(StageResult.Failed(stage, failed, took, stage == Stage.Trust ? differences : null));
    }

    private void TellExchange(IReadOnlyList<WireObserver.Answer> answers, TimeSpan took)
    {
        AuditEvent? issued = events.Last(target.Target, AuditEventKind.Issued, AuditEventKind.Refreshed);
        TimeSpan? exchange = issued is not null && events.Last(target.Target, AuditEventKind.Exchanging) is { } began ? issued.Elapsed - began.Elapsed : took;
        string asked = answers.Count == 0 ? "" : $"{answers.Count} request(s) to {string.Join(", ", answers.Select(answer => answer.Host.IdnHost).Distinct())}";
        _results.Add(StageResult.Ok(Stage.Exchange, issued?.Fingerprint is { } fingerprint ? $"issued {fingerprint}{(asked.Length > 0 ? $", {asked}" : "")}" : asked, exchange));
        TellClock(answers);
        string? differences = _proof is null ? null : trusted.DifferencesFrom(_proof);
        _results.Add(differences is null
            ? StageResult.Ok(Stage.Trust, target.Plan.Exchanger.IsPlatformIssued ? "nothing is exchanged: the platform's own token is the credential" : "the issuer took the proof")
            : StageResult.Warning(Stage.Trust, $"The issuer took the proof{(trusted.LetsIn(_proof!) ? "" : ", so its trust is another than the one that was named")}.{Environment.NewLine}{differences}"));
    }

    private void TellClock(IReadOnlyList<WireObserver.Answer> answers)
    {
        if (answers.LastOrDefault(answer => answer.ClockDifference is not null)?.ClockDifference is not { } difference)
            return;
        _results.Add(difference.Duration() < ClockLeeway
            ? StageResult.Ok(Stage.Clock, string.Create(CultureInfo.InvariantCulture, $"the issuer's clock and this machine's agree within {Math.Ceiling(difference.Duration().TotalSeconds):0} s"))
            : StageResult.Warning(Stage.Clock, ClockText(difference), "Set the clock that is wrong, before a proof is refused for it."));
    }

    private void TellGrant(Credential credential)
    {
        if (events.Last(target.Target, AuditEventKind.Issued, AuditEventKind.Refreshed) is not { } issued)
            return;
        _results.Add(StageResult.Ok(Stage.Scope, issued.Scopes.IsEmpty ? "none is named: what the issuer gives" : $"{ExceptionText.Clean(issued.Scopes.ToString(), 300)}{(issued.AskedScopes.IsEmpty || issued.AskedScopes == issued.Scopes ? "" : $" (asked for: {ExceptionText.Clean(issued.AskedScopes.ToString(), 300)})")}"));
        TimeSpan handOut = credential.UnusableFrom - issued.At;
        string dies = issued.DiesAt is { } end ? $"dies at {Instant(end)}" : "does not die by itself";
        _results.Add(issued.DiesAt - credential.UnusableFrom > TimeSpan.FromMinutes(5)
            ? StageResult.Warning(Stage.Life, $"handed out for {Span(handOut)}, {dies}: the issuer gives longer lives than settings or policy want", "A copy works until it dies. Let the issuer give shorter lives to this client, where it can.")
            : StageResult.Ok(Stage.Life, $"handed out for {Span(handOut)}, {dies}"));
        if (issued.Exposure is not { } exposure)
            return;
        _results.Add(new StageResult(Stage.Questions, Verdict.Ok, $"reusable after the job? {exposure.ReusableAfterJob}. Visible to operators? {exposure.VisibleToOperators}. Tied to a human? {exposure.TiedToHuman}."));
    }

    private static string ClockText(TimeSpan difference) =>
        string.Create(CultureInfo.InvariantCulture, $"The issuer's clock is {difference.Duration().TotalSeconds:0} s {(difference > TimeSpan.Zero ? "ahead of" : "behind")} this machine's.");

    private static string Instant(DateTimeOffset? instant) => instant is { } known ? known.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "an unknown time";

    private static string Span(TimeSpan span) => span.ToString(@"hh\:mm\:ss", CultureInfo.InvariantCulture);
}
