namespace Nhi.TokenExchange.Tests.Faults;

/// <summary>Stale proofs, stale caches, wrong keys. P12, P14 and P15 are with the units that they are about.</summary>
internal sealed class StaleProofTests : OidcFileFixture
{
    [TestCase("rename")]
    [TestCase("rewrite")]
    [TestCase("link")]
    public async Task P11_A_file_that_its_platform_renews_is_read_anew_for_each_exchange(string how)
    {
        Put(how, 0, Proofs.With(("jti", "0")));
        var issuer = new TestExchanger(Time);
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcFile(FilePath), ActsFor.Workload)
            .Target("warehouse", new ForSts(issuer), "job").Time(Time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> warehouse = job.Provider<BearerToken>("warehouse");
        var written = new List<string>();

        for (int round = 1; round <= 20; round++)
        {
            string proof = Proofs.With(("jti", round), ("iat", Time.GetUtcNow().ToUnixTimeSeconds()), ("exp", Time.GetUtcNow().AddMinutes(5).ToUnixTimeSeconds()));
            Put(how, round, proof);
            written.Add(proof);
            await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => warehouse.GetAsync().AsTask()));
            Time.Advance(TimeSpan.FromHours(1));
        }

        Assert.That(issuer.Requests.Select(request => request.Subject.Reveal()), Is.EqualTo(written));
    }

    [Test]
    public async Task P13_An_outer_credential_ends_with_the_hop_that_it_was_built_on()
    {
        var inner = new TestExchanger(Time) { Life = TimeSpan.FromSeconds(60) };
        var outer = new TestExchanger(Time) { Life = TimeSpan.FromHours(1) };
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", TestProofs.Source(Time), ActsFor.Workload)
            .Target("account", inner, "job")
            .Target("archive", outer, t => t.Through = "account")
            .Time(Time).Jitter(() => 0).EndOnSignals(false));
        CredentialProvider<BearerToken> archive = job.Provider<BearerToken>("archive");
        BearerToken first = await archive.GetAsync();

        Assert.That(first.UnusableFrom, Is.EqualTo(Time.GetUtcNow().AddSeconds(60) - inner.Margin));
        Time.Advance(TimeSpan.FromSeconds(50));
        Assert.That(archive.TryGet(out _), Is.False);
        Assert.That(await archive.GetAsync(), Is.Not.SameAs(first));
        Assert.That((inner.Requests.Count, outer.Requests.Count), Is.EqualTo((2, 2)));
    }

    [Test]
    public void P16_No_cache_outside_of_the_process_can_be_down()
    {
        string[] words = ["IDistributedCache", "HybridCache", "StackExchange", "Caching.SqlServer"];
        string projects = string.Concat(Directory.EnumerateFiles(Path.Join(Repository.Root, "src"), "*.csproj", SearchOption.AllDirectories).Select(File.ReadAllText));

        Assert.That(words.Where(word => projects.Contains(word, StringComparison.OrdinalIgnoreCase)), Is.Empty);
        Assert.That(Repository.Sources("src").Where(file => words.Any(word => file.Text.Contains(word, StringComparison.Ordinal))).Select(file => file.Path), Is.Empty);
    }

    [TestCaseSource(typeof(HeldFlight), nameof(HeldFlight.Steps))]
    public async Task P17_No_credential_comes_back_after_the_end_wherever_its_flight_was(string step)
    {
        var gate = new Gate();
        await using TestJob job = await HeldFlight.StartAsync(step, gate);
        using Gate opened = gate;   // before the job ends, also where this fails
        Task<BearerToken> asking = job.Warehouse.GetAsync().AsTask();
        await gate.Reached;

        Task<JobReport> ending = job.Session.CompleteAsync();
        TokenExchangeException refused = Assert.ThrowsAsync<TokenExchangeException>(() => asking)!;
        gate.Open();
        JobReport report = await ending;

        Assert.That((refused.Code, report.AllEnded), Is.EqualTo(("NHI7001", true)));
        Assert.That(job.Issuer.Revoked, Is.EquivalentTo(job.Issuer.Issued));
        Assert.That(job.Warehouse.TryGet(out _), Is.False);
    }

    [Test]
    public async Task P18_A_source_or_an_issuer_that_failed_once_is_asked_again_after_the_wait_that_the_error_tells()
    {
        int asked = 0;
        IWorkloadIdentitySource source = IdentitySources.From((request, _) => asked++ == 0
            ? throw new IdentityUnavailableException("NHI2001", "The metadata service did not answer.") { IsTransient = true }
            : new ValueTask<SubjectToken>(new SubjectToken(TestProofs.Jwt(Time, request.Audience.ToString()), SubjectTokenType.Jwt)));
        await using TestJob job = await TestJob.StartAsync(source: source);
        int exchanged = 0;
        job.Issuer.Answer = _ => exchanged++ == 0 ? throw new TokenExchangeException("NHI4001", ExchangeStage.Exchange, "invalid_scope") : new Issued<BearerToken>(job.Issuer.NewToken());

        TokenExchangeException first = Assert.ThrowsAsync<IdentityUnavailableException>(async () => await job.Warehouse.GetAsync())!;
        Assert.That(first.Message, Does.Contain("Next try in 0.5 s"));
        job.Time.Advance(first.RetryAfter!.Value);
        Assert.ThrowsAsync<TokenExchangeException>(async () => await job.Warehouse.GetAsync());
        job.Time.Advance(TimeSpan.FromSeconds(1));

        Assert.That(await job.Warehouse.GetAsync(), Is.Not.Null);
        Assert.That((asked, exchanged), Is.EqualTo((3, 2)));
    }

    // As kubelets do it: a link to a link, the inner of which is swapped by renaming.
    private void Put(string how, int round, string proof)
    {
        switch (how)
        {
            case "rewrite":
                Write(proof);
                break;
            case "rename":
                File.WriteAllText(FilePath + ".new", proof);
                File.Move(FilePath + ".new", FilePath, overwrite: true);
                break;
            default:
                string version = Path.Join(Folder, $"..{round}");
                Directory.CreateDirectory(version);
                File.WriteAllText(Path.Join(version, "token"), proof);
                Directory.CreateSymbolicLink(Path.Join(Folder, "..data.new"), version);
                Native.Rename(Path.Join(Folder, "..data.new"), Path.Join(Folder, "..data"));
                if (round == 0)
                    File.CreateSymbolicLink(FilePath, Path.Join("..data", "token"));
                break;
        }
    }

    // The proofs of this fixture are for another audience than the issuer's own name.
    private sealed class ForSts(TestExchanger inner) : TokenExchanger<BearerToken>
    {
        public override Uri Issuer => inner.Issuer;

        public override Audience SubjectAudience { get; } = new(Proofs.Audience);

        public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken) => inner.ExchangeAsync(request, cancellationToken);
    }
}
