namespace Nhi.TokenExchange.Tests.Exchange.OAuth;

/// <summary>What an issuer's tokens are exposed to as far as is known of it, and what its revocation endpoint's answers change about that.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class IssuerExposureTests
{
    private const string Unread = "it is not known whether the issuer revokes: its metadata, which say it, have not been read";
    private const string Refusing = "the issuer refuses to revoke such a token (unsupported_token_type): a copy works until it dies by itself";
    private const string WithoutEndpoint = "no revocation endpoint is known, so that a copy works until the token dies by itself";
    private const string Revoking = "the issuer revokes it when the job ends (RFC 7009); one that is self-contained is over where the target asks its issuer";

    private readonly ManualTimeProvider _time = new();

    [Test]
    public async Task It_is_said_by_the_endpoints_that_are_set_or_that_were_read([Values] bool isRfc8693)
    {
        using HttpMessageInvoker channel = Channel(_ => InMemoryIssuer.Json("""{"issuer":"https://issuer.example","token_endpoint":"https://issuer.example/token","revocation_endpoint":"https://issuer.example/revoke"}"""));
        TokenExchanger<BearerToken> unread = Exchanger(isRfc8693, null, null);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Exchanger(isRfc8693, InMemoryIssuer.TokenEndpoint, InMemoryIssuer.RevocationEndpoint).ReusableAfterJob.ToString(), Is.EqualTo($"no: {Revoking}"));
            Assert.That(Exchanger(isRfc8693, InMemoryIssuer.TokenEndpoint, null).ReusableAfterJob.ToString(), Is.EqualTo($"yes: {WithoutEndpoint}"));
            Assert.That(Exchanger(isRfc8693, InMemoryIssuer.TokenEndpoint, null).LearnsMore, Is.False);
            Assert.That((unread.ReusableAfterJob.Reason, unread.ReusableAfterJob.IsYes, unread.LearnsMore), Is.EqualTo((Unread, true, true)));
            Assert.That(unread.VisibleToOperators.ToString(), Is.EqualTo("no: the issuer shows it once, to this process"));
        }
        await unread.LearnAsync(channel, _time, default);
        Assert.That((unread.ReusableAfterJob.Reason, unread.ReusableAfterJob.IsYes, unread.LearnsMore), Is.EqualTo((Revoking, false, false)));
    }

    // The answer takes all but a second of the hour that the token has left, or the whole.
    [TestCase(3599, Refusing)]
    [TestCase(3600, Revoking)]
    public async Task A_refusal_to_revoke_counts_where_the_token_lives_still(int seconds, string reason)
    {
        using HttpMessageInvoker channel = Channel(_ =>
        {
            _time.Advance(TimeSpan.FromSeconds(seconds));
            return InMemoryIssuer.Json("""{"error":"unsupported_token_type"}""", 400);
        });
        TokenExchanger<BearerToken> exchanger = Exchanger(isRfc8693: true, InMemoryIssuer.TokenEndpoint, InMemoryIssuer.RevocationEndpoint);

        Revocation revocation = await exchanger.RevokeAsync(WireSamples.Revocation(channel, _time), default);

        Assert.That((revocation, exchanger.ReusableAfterJob.Reason), Is.EqualTo((Revocation.NotSupported, reason)));
    }

    [TestCase(401, """{"error":"invalid_client","error_description":"who?"}""", "401 invalid_client: who?", "invalid_client", false)]
    [TestCase(503, "{}", "503 unknown", "unknown", true)]
    public void A_revocation_that_fails_says_what_the_issuer_said_and_what_it_means(int status, string body, string said, string error, bool isTransient)
    {
        using HttpMessageInvoker channel = Channel(_ => InMemoryIssuer.Json(body, status, ("x-request-id", "req-7"), ("Retry-After", "9")));
        TokenExchanger<BearerToken> exchanger = Exchanger(isRfc8693: true, InMemoryIssuer.TokenEndpoint, InMemoryIssuer.RevocationEndpoint);

        TokenExchangeException failure = Assert.ThrowsAsync<TokenExchangeException>(async () => await exchanger.RevokeAsync(WireSamples.Revocation(channel, _time), default))!;

        using (Assert.EnterMultipleScope())
        {
            Assert.That((failure.Code, failure.Stage, failure.IssuerError, failure.CorrelationId), Is.EqualTo((ErrorCodes.RevocationFailed, ExchangeStage.Revoke, error, "req-7")));
            Assert.That((failure.Detail, failure.Hint), Is.EqualTo(($"Host issuer.example answered {said}", "The credential lives on until its end. Check that this client may revoke at the issuer.")));
            Assert.That((failure.IsTransient, failure.RetryAfter?.TotalSeconds), Is.EqualTo((isTransient, isTransient ? 9 : (double?)null)));
        }
    }

    [Test]
    public void An_answer_that_breaks_off_is_let_go_and_the_reason_told()
    {
        using var response = new WatchedResponse { Content = new StreamContent(new BrokenStream()) };
        using HttpMessageInvoker channel = Channel(_ => response);

        Assert.That(
            async () => await Exchanger(isRfc8693: true, InMemoryIssuer.TokenEndpoint, null).ExchangeAsync(WireSamples.Request(channel, _time), default),
            Throws.InstanceOf<IOException>().With.Message.EqualTo("broken off"));
        Assert.That(response.IsDisposed, Is.True);
    }

    private static HttpMessageInvoker Channel(Func<ReceivedRequest, HttpResponseMessage> answer) => new(new InMemoryIssuer(answer));

    private static TokenExchanger<BearerToken> Exchanger(bool isRfc8693, Uri? token, Uri? revocation) => isRfc8693
        ? Targets.Rfc8693(InMemoryIssuer.Address, o => (o.TokenEndpoint, o.RevocationEndpoint) = (token, revocation))
        : Targets.JwtBearer(InMemoryIssuer.Address, o => (o.TokenEndpoint, o.RevocationEndpoint) = (token, revocation));

    private sealed class WatchedResponse : HttpResponseMessage
    {
        public bool IsDisposed { get; private set; }

        protected override void Dispose(bool disposing)
        {
            IsDisposed = true;
            base.Dispose(disposing);
        }
    }

    private sealed class BrokenStream : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("broken off");
    }
}
