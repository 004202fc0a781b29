using System.Net;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;

namespace Nhi.TokenExchange.Tests.Exchange.StaticKeys;

/// <summary>A handler takes the key to the service, and shows it to nobody on the way.</summary>
internal sealed class StaticKeyHandlerTests
{
    [Test]
    public async Task The_key_is_read_under_the_jobs_identity_and_goes_to_the_service_in_its_header()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        Assert.That(job.Reads, Is.Zero, "nothing is read before it is needed");

        Assert.That(await job.CallAsync(), Is.EqualTo(200));
        Assert.That(await job.CallAsync(), Is.EqualTo(200));

        Assert.That(job.Service.Requests.Select(request => request.Headers[StaticKeyJob.Header]), Is.All.EqualTo(job.Key));
        Assert.That((job.Reads, job.Emulator.Ledger.Requests.Of(EmulatorEndpoint.VaultLogin)), Is.EqualTo((1, 1)));
    }

    [Test]
    public async Task Neither_the_request_nor_its_content_nor_the_answer_shows_the_key_to_the_caller()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        using var http = new HttpClient(job.Session.CreateStaticKeyHandler("billing"));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(job.Service.Uri, "/invoices"));
        string? seen = null;
        request.Content = new SpyingContent(() => seen = request.ToString());
        using HttpResponseMessage response = await http.SendAsync(request);

        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(seen, Does.Contain("/invoices").And.Not.Contain(StaticKeyJob.Header), "while it is sent");
        Assert.That(response.RequestMessage, Is.SameAs(request));
        Assert.That($"{request}{response}", Does.Not.Contain(StaticKeyJob.Header).And.Not.Contain(job.Key));
    }

    [Test]
    public async Task No_public_member_gives_the_key_or_lets_a_handler_be_put_below()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        using HttpMessageHandler handler = job.Session.CreateStaticKeyHandler("billing");

        Assert.That(handler, Is.Not.InstanceOf<DelegatingHandler>());
        Assert.That(typeof(JobSession).Assembly.GetExportedTypes().Select(type => type.Name), Has.None.EqualTo(nameof(StaticKey)));
        MethodInfo[] named = [.. typeof(JobSession).Assembly.GetExportedTypes().SelectMany(type => type.GetMethods()).Where(method => method.Name.Contains(nameof(StaticKey), StringComparison.Ordinal))];
        Assert.That(named.Where(method => !method.IsSpecialName).Select(method => method.Name), Is.EquivalentTo([nameof(JobSession.CreateStaticKeyHandler), nameof(Targets.VaultStaticKey), nameof(Targets.KeyVaultStaticKey)]));
        Assert.That(named.Where(method => method.IsSpecialName).SelectMany(method => method.GetParameters().Select(one => one.ParameterType).Append(method.ReturnType)).Distinct(), Is.SubsetOf([typeof(StaticKeyUse), typeof(bool), typeof(void)]));
        Assert.That(typeof(JobSession).GetMethods().Where(method => method.DeclaringType == typeof(JobSession) && GivesText(method.ReturnType)).Select(method => method.Name), Is.Empty, "a job has nothing of text to give");
        Assert.That(() => job.Session.Provider<BearerToken>("billing"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004"));
        Assert.That(() => job.Session.Provider<Credential>("billing"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004"));
        Assert.That(() => job.Session.CreateHandler("billing"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004"));
        Assert.That(() => job.Session.CreateStaticKeyHandler("vault"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI1004"));
    }

    private static bool GivesText(Type type) =>
        type.IsGenericType ? type.GetGenericArguments().Any(GivesText) : type == typeof(string) || type == typeof(char) || type == typeof(byte) || (type.IsArray && GivesText(type.GetElementType()!));

    [Test]
    public async Task The_key_goes_to_no_other_origin_and_over_no_header_of_the_caller()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        using var http = new HttpClient(job.Session.CreateStaticKeyHandler("billing"));

        TokenExchangeException elsewhere = Assert.ThrowsAsync<TokenExchangeException>(() => http.GetAsync(job.Emulator.Warehouse.Address))!;
        Assert.That(elsewhere.Code, Is.EqualTo("NHI8001"));
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => http.GetAsync(job.Emulator.Vault.Address))!.Code, Is.EqualTo("NHI8001"), "the vault is where it comes from");
        http.DefaultRequestHeaders.Add(StaticKeyJob.Header, "mine");
        Assert.That(Assert.ThrowsAsync<TokenExchangeException>(() => http.GetAsync(job.Service.Uri))!.Code, Is.EqualTo("NHI8002"));
        Assert.That((job.Service.Requests.Count, job.Reads), Is.EqualTo((0, 0)));
    }

    [Test]
    public async Task A_rotated_key_is_read_again_once_and_the_request_is_sent_once_more()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        await job.CallAsync();
        string old = job.Key;
        job.Rotate();
        time.Advance(TimeSpan.FromMinutes(2));

        using var body = new StringContent("orders");
        Assert.That(await job.CallAsync(body), Is.EqualTo(200));
        Assert.That(job.Service.Requests.Select(request => request.Headers[StaticKeyJob.Header]), Is.EqualTo([old, old, job.Key]));
        Assert.That(job.Service.Requests.Skip(1).Select(request => request.Body), Is.All.EqualTo("orders"));
        Assert.That(job.Reads, Is.EqualTo(2));
    }

    [Test]
    public async Task A_service_that_refuses_the_key_that_the_vault_names_is_heard_and_the_vault_is_asked_once_a_minute()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        await job.CallAsync();
        job.Rotate(inVault: false);
        time.Advance(TimeSpan.FromMinutes(2));

        for (int call = 0; call < 5; call++)
            Assert.That(await job.CallAsync(), Is.EqualTo(401), "what the service said");
        Assert.That(job.Reads, Is.EqualTo(2));
        time.Advance(TimeSpan.FromSeconds(61));
        for (int call = 0; call < 5; call++)
            Assert.That(await job.CallAsync(), Is.EqualTo(401));
        Assert.That(job.Reads, Is.EqualTo(3));
    }

    [Test]
    public async Task A_key_in_use_is_read_again_in_the_background_so_that_a_rotation_is_felt_without_a_refusal()
    {
        var time = new ManualTimeProvider();
        await using StaticKeyJob job = await StaticKeyJob.StartAsync(time);
        job.Service.Respond = _ => ScriptedAnswer.Status(200);   // both keys are good for a while
        await job.CallAsync();
        job.Rotate();
        time.Advance(TimeSpan.FromMinutes(8));
        await job.CallAsync();
        await job.QuietAsync();
        await job.CallAsync();

        Assert.That(job.Service.Requests[^1].Headers[StaticKeyJob.Header], Is.EqualTo(job.Key));
    }

    [Test]
    public async Task A_key_can_stand_behind_a_scheme_or_be_a_users_password()
    {
        await using StaticKeyJob bearer = await StaticKeyJob.StartAsync(configure: o => (o.Header.Name, o.Header.Scheme) = ("Authorization", "Token"));
        await bearer.CallAsync();
        Assert.That(bearer.Service.Requests.Single().Headers["Authorization"], Is.EqualTo($"Token {bearer.Key}"));

        await using StaticKeyJob basic = await StaticKeyJob.StartAsync(configure: o => (o.Header.Name, o.Header.Scheme, o.Header.User) = ("Authorization", "Basic", "loader"));
        await basic.CallAsync();
        string sent = basic.Service.Requests.Single().Headers["Authorization"]["Basic ".Length..];
        Assert.That(System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(sent)), Is.EqualTo($"loader:{basic.Key}"));
    }

    [Test]
    public async Task A_client_of_a_container_gets_the_key_below_its_handlers_and_no_redirect_is_followed_with_it()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        var services = new ServiceCollection();
        services.AddSingleton(job.Session);
        services.AddHttpClient("billing").AddCredential("billing");
        services.AddHttpClient("careless").ConfigurePrimaryHttpMessageHandler(() => new HttpClientHandler()).AddCredential("billing");
        await using ServiceProvider container = services.BuildServiceProvider();
        IHttpClientFactory clients = container.GetRequiredService<IHttpClientFactory>();

        using HttpClient http = clients.CreateClient("billing");
        using HttpResponseMessage response = await http.GetAsync(job.Service.Uri);
        Assert.That(response.StatusCode, Is.EqualTo(HttpStatusCode.OK));
        Assert.That(() => clients.CreateClient("careless"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001").And.Message.Contains("AllowAutoRedirect"));
    }

    [Test]
    public async Task A_primary_handler_that_may_follow_redirects_or_is_set_to_later_is_refused()
    {
        await using StaticKeyJob job = await StaticKeyJob.StartAsync();
        using var sockets = new SocketsHttpHandler { AllowAutoRedirect = false };
        var services = new ServiceCollection();
        services.AddSingleton(job.Session);
        services.AddHttpClient("unknown").ConfigurePrimaryHttpMessageHandler(() => new Unknown()).AddCredential("billing");
        services.AddHttpClient("later").ConfigurePrimaryHttpMessageHandler(() => sockets).AddCredential("billing");
        await using ServiceProvider container = services.BuildServiceProvider();
        IHttpClientFactory clients = container.GetRequiredService<IHttpClientFactory>();

        Assert.That(() => clients.CreateClient("unknown"), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001").And.Message.Contains("nobody can tell whether it follows redirects"));
        using HttpClient later = clients.CreateClient("later");
        sockets.AllowAutoRedirect = true;
        Assert.That(() => later.GetAsync(job.Service.Uri), Throws.TypeOf<TokenExchangeException>().With.Property("Code").EqualTo("NHI8001").And.Message.Contains("AllowAutoRedirect"));
        Assert.That((job.Service.Requests.Count, job.Reads), Is.EqualTo((0, 0)));
    }

    private const string OfTheName = "Header.Name is no header for a key. Write the name that the service's pages say, such as X-Api-Key or Authorization.";
    private const string OfTheScheme = "Header.Scheme is no scheme of a header. Write one word, such as Bearer, without the key and without a space.";
    private const string OfTheUser = "Header.User is empty, or has a colon or a control character. Write the user's name alone.";
    private const string WithoutBasic = "Header.User is set without the scheme Basic. Set both or neither.";

    private static readonly (string? Name, string? Scheme, string? User, string? Said)[] Headers =
    [
        (null, null, null, null),
        (null, "Bearer", null, "Header.Scheme is set without a header. Name the header, such as Authorization, or leave it out."),
        (null, "Basic", "loader", "Header.Scheme is set without a header. Name the header, such as Authorization, or leave it out."),
        (null, null, "loader", "Header.User is set without a header. Name the header, Authorization, or leave it out."),
        ("X-Api-Key", null, null, null),
        ("x", null, null, null),
        (new string('x', 64), null, null, null),
        (new string('x', 65), null, null, OfTheName),
        ("", null, null, OfTheName),
        ("X Api", null, null, OfTheName),
        ("X:Api", null, null, OfTheName),
        ("Connection", null, null, OfTheName),
        ("Host", null, null, OfTheName),
        ("Keep-Alive", null, null, OfTheName),
        ("Proxy-Connection", null, null, OfTheName),
        ("TE", null, null, OfTheName),
        ("Trailer", null, null, OfTheName),
        ("Transfer-Encoding", null, null, OfTheName),
        ("Upgrade", null, null, OfTheName),
        ("Expect", null, null, OfTheName),
        ("Content-Length", null, null, OfTheName),
        ("Content-Type", null, null, OfTheName),
        ("Content-Language", null, null, OfTheName),
        ("tRANSFER-eNCODING", null, null, OfTheName),
        ("Authorization", "Bearer", null, null),
        ("Authorization", "", null, OfTheScheme),
        ("Authorization", "two words", null, OfTheScheme),
        ("Authorization", new string('s', 65), null, OfTheScheme),
        ("Authorization", "Basic", "loader", null),
        ("Authorization", "bASIC", "loader", null),
        ("Authorization", null, "loader", WithoutBasic),
        ("Authorization", "Bearer", "loader", WithoutBasic),
        ("Authorization", "Basic", "", OfTheUser),
        ("Authorization", "Basic", "load:er", OfTheUser),
        ("Authorization", "Basic", "load\ner", OfTheUser),
    ];

    [Test]
    public void Each_header_that_no_key_goes_into_is_refused_by_what_is_wrong_with_it()
    {
        var vault = new Uri("https://vault.example:8200");
        using (Assert.EnterMultipleScope())
        {
            foreach ((string? name, string? scheme, string? user, string? said) in Headers)
            {
                Action make = () => Targets.VaultStaticKey(vault, "legacy/billing", "Billing team", DateTimeOffset.MaxValue, o => (o.Header.Name, o.Header.Scheme, o.Header.User) = (name, scheme, user));

                Assert.That(make, said is null ? Throws.Nothing : Throws.ArgumentException.With.Message.EqualTo($"{said} (Parameter 'options')"), $"{name} {scheme} {user}");
            }
        }
    }

    private sealed class Unknown : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => throw new InvalidOperationException("It would be sent.");
    }

    private sealed class SpyingContent(Action look) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            look();
            return stream.WriteAsync("orders"u8.ToArray()).AsTask();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 6;
            return true;
        }
    }
}
