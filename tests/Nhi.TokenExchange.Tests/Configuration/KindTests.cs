namespace Nhi.TokenExchange.Tests.Configuration;

internal sealed class KindTests
{
    private static readonly (string, string?)[] Acme = [("Targets:warehouse:Exchange", "AcmeSts"), ("Targets:warehouse:ClientId", null)];

    [Test]
    public void A_section_says_what_code_would_say()
    {
        SessionPlan plan = Sections.Freeze(Sections.OfJson("""
            { "TokenExchange": {
              "Job":        { "Pipeline": "orders-nightly", "Dataset": "orders", "Purpose": "load" },
              "Identities": { "job": { "Source": "OidcFile", "Path": "/var/run/secrets/job/token" }, "ci": { "Source": "GitHubActions", "ActsFor": "Workload" } },
              "Targets":    { "warehouse": { "Identity": "job", "Actor": "ci", "Exchange": "Databricks", "Host": "https://workspace.example", "Scopes": [ "sql" ], "MaxLifetime": "00:50:00",
                                             "AllowedOrigins": [ "https://workspace.example", "https://files.example:8443" ] },
                              "archive":   { "Through": "warehouse", "Exchange": "Rfc8693", "Issuer": "https://issuer.example/realm", "Audiences": [ "archive" ] } },
              "EndWithin":  "00:00:20" } }
            """));

        TargetPlan warehouse = plan.Targets[0], archive = plan.Targets[1];
        Assert.That(plan.Job.ToString(), Is.EqualTo("pipeline orders-nightly, dataset orders, purpose load"));
        Assert.That(plan.EndWithin, Is.EqualTo(TimeSpan.FromSeconds(20)));
        Assert.That((warehouse.Name, warehouse.Identity!.Name, warehouse.Actor!.ActsFor, warehouse.Scopes.ToString(), warehouse.MaxLifetime), Is.EqualTo(("warehouse", "job", ActsFor.Workload, "sql", TimeSpan.FromMinutes(50))));
        Assert.That(warehouse.AllowedOrigins.Select(origin => origin.Authority), Is.EqualTo(["workspace.example", "files.example:8443"]));
        Assert.That((archive.Through, archive.Exchanger.Issuer), Is.EqualTo(("warehouse", new Uri("https://issuer.example/realm"))));
        Assert.That(plan.Owned, Has.Count.EqualTo(4));
    }

    [Test]
    public void Facts_that_code_knows_win_over_the_sections()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(("Job:Run", "0"), ("EndWithin", "00:00:20")), b => b.Job(new JobContext { Run = "42" }).EndWithin(TimeSpan.FromSeconds(5)));

        Assert.That((plan.Job.Run, plan.Job.Pipeline, plan.EndWithin), Is.EqualTo(("42", "orders-nightly", TimeSpan.FromSeconds(5))));
    }

    [Test]
    public void A_kind_may_be_registered_after_the_section_and_mixed_with_code()
    {
        SessionPlan plan = Sections.Freeze(Sections.With(Acme), b => b
            .ExchangerKind("AcmeSts", settings => Targets.Databricks(settings.HttpsOrigin("Host")))
            .Target("lake", Targets.Databricks(new Uri("https://lake.example")), "job"));

        Assert.That(plan.Targets.Select(target => target.Name), Is.EquivalentTo(["warehouse", "lake"]));
    }

    [Test]
    public void A_kind_reads_texts_lists_times_and_nested_settings()
    {
        var seen = new List<object?>();
        Sections.Freeze(
            Sections.With([.. Acme, ("Targets:warehouse:Region", "eu"), ("Targets:warehouse:Tags:0", "a"), ("Targets:warehouse:Tags:1", "b"), ("Targets:warehouse:Wait", "00:00:03"), ("Targets:warehouse:Retry:Times", "2")]),
            b => b.ExchangerKind("AcmeSts", settings =>
            {
                TimeSpan second = TimeSpan.FromSeconds(1);
                seen.AddRange([settings.Path, settings.Text("Region"), settings.OptionalText("Absent"), string.Join(',', settings.List("Tags")), settings.Duration("Wait", second, second, second * 9), settings.Duration("Other", second, second, second), settings.Child("Retry").Text("Times"), settings.Child("None").OptionalText("x")]);
                return Targets.Databricks(settings.HttpsOrigin("Host"));
            }));

        Assert.That(seen, Is.EqualTo(new object?[] { "TokenExchange:Targets:warehouse", "eu", null, "a,b", TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1), "2", null }));
    }

    [Test]
    public void What_nobody_read_in_a_nested_section_is_unknown() =>
        Assert.That(
            Sections.Refused(Sections.With([.. Acme, ("Targets:warehouse:Retry:Tims", "2")]), b => b.ExchangerKind("AcmeSts", settings =>
            {
                settings.Child("Retry").OptionalText("Times");
                return Targets.Databricks(settings.HttpsOrigin("Host"));
            })).Message,
            Does.Contain("TokenExchange:Targets:warehouse:Retry:Tims: is an unknown setting. Did you mean Times?"));

    [Test]
    public void What_was_made_beside_an_error_is_disposed_and_what_was_made_well_is_owned([Values] bool isWrong, [Values] bool isAsync)
    {
        List<Source> made = [];
        IWorkloadIdentitySource Make(SettingsReader settings)
        {
            settings.FilePath("Path");
            made.Add(isAsync ? new AsyncSource() : new SyncSource());
            return made[0];
        }
        void Register(TokenExchangeBuilder b) => b.IdentitySourceKind("Acme", Make);
        (string, string?) source = ("Identities:job:Source", "Acme");

        if (isWrong)
            Sections.Refused(Sections.With(source, ("Targets:warehouse:Hosst", "x")), Register);
        else
            Assert.That(Sections.Freeze(Sections.With(source), Register).Owned, Does.Contain(made[0]));
        Assert.That(made[0].Disposals, Is.EqualTo(isWrong ? 1 : 0));
    }

    [Test]
    public void A_factory_that_throws_at_a_placeholder_adds_nothing_and_one_that_throws_else_is_named_without_its_text([Values] bool isWrong)
    {
        string message = Sections.Refused(
            Sections.With([.. Acme, ("Targets:warehouse:Host", isWrong ? "x" : "https://workspace.example")]),
            b => b.ExchangerKind("AcmeSts", settings =>
            {
                settings.HttpsOrigin("Host");
                throw new FormatException("canary");
            })).Message;

        Assert.That(message.Split(Environment.NewLine), Has.Length.EqualTo(1));
        Assert.That(message, isWrong ? Does.Contain("is not an absolute address") : Does.Contain("refused by the kind 'AcmeSts' with FormatException"));
        Assert.That(message, Does.Not.Contain("canary"));
    }

    [Test]
    public void A_kind_has_one_maker_and_a_word_for_a_name()
    {
        var builder = new TokenExchangeBuilder();

        Assert.That(() => builder.ExchangerKind("Databricks", _ => null!), Throws.ArgumentException);
        Assert.That(() => builder.ExchangerKind("Acme Sts", _ => null!), Throws.ArgumentException);
    }

    [TestCase("Targets:warehouse:Exchange", "Entra")]
    [TestCase("Targets:warehouse:Exchange", "EntraWorkloadIdentity")]
    [TestCase("Targets:warehouse:Exchange", "ManagedIdentity")]
    [TestCase("Identities:job:Source", "ManagedIdentity")]
    [TestCase("Identities:job:Source", "AzureWorkloadIdentity")]
    public void A_kind_of_a_package_that_is_not_there_is_told_with_package_and_call(string setting, string kind) => Assert.That(
        Sections.Refused(Sections.With((setting, kind))).Message,
        Does.Contain($"TokenExchange:{setting}: '{kind}' is not known. It comes with the package Nhi.TokenExchange.Azure: reference it and call builder.Azure(). Known are:"));

    private abstract class Source : IWorkloadIdentitySource
    {
        public int Disposals { get; protected set; }

        public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();
    }

    private sealed class SyncSource : Source, IDisposable
    {
        public void Dispose() => Disposals++;
    }

    private sealed class AsyncSource : Source, IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Disposals++;
            return default;
        }
    }
}
