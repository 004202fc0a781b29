using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange.Tests;

/// <summary>With the shapes that Azure.Identity throws.</summary>
internal sealed class CredentialFailureTests
{
    private static IdentityUnavailableException Refused(TokenCredential credential)
    {
        var request = new SubjectTokenRequest { Audience = new Audience("api://AzureADTokenExchange"), Backchannel = new Wire().Backchannel, Time = new ManualTimeProvider() };
        IdentityUnavailableException refused = Assert.ThrowsAsync<IdentityUnavailableException>(() => IdentitySources.From(credential).GetSubjectTokenAsync(request, default).AsTask())!;
        Proofs.AssertNothingShown(refused);
        return refused;
    }

    private static ClientAssertionCredential Over(Wire wire)
    {
        var options = new ClientAssertionCredentialOptions { DisableInstanceDiscovery = true, Transport = new HttpClientTransport(wire) };
        options.Retry.MaxRetries = 0;
        return new ClientAssertionCredential(EntraCalls.Tenant, EntraCalls.Client, _ => Task.FromResult(Proofs.Of()), options);
    }

    private static string Body(int code) => $$"""{"error":"{{(code == 503 ? "temporarily_unavailable" : "invalid_client")}}","error_description":"{{Proofs.Token()}}"}""";

    [TestCase(408, true)]
    [TestCase(429, true)]
    [TestCase(500, true)]
    [TestCase(503, true)]
    [TestCase(504, true)]
    [TestCase(400, false)]
    [TestCase(401, false)]
    public void What_the_issuer_answered_is_seen_through_all_that_wraps_it(int status, bool isTransient)
    {
        IdentityUnavailableException refused = Refused(Over(new Wire(Wire.Json(Body(status), status))));

        Assert.That(refused.IsTransient, Is.EqualTo(isTransient));
        Assert.That(refused.Message, Does.Contain($"ClientAssertionCredential gave no token: AuthenticationFailedException, status {status}"));
    }

    [Test]
    public void A_connection_that_was_not_to_be_had_is_transient() =>
        Assert.That(Refused(Over(new Wire(Wire.Throws(new HttpRequestException(HttpRequestError.ConnectionError, "no"))))).IsTransient);

    [Test]
    public void What_is_not_set_up_here_is_final_whatever_it_met()
    {
        Assert.That(Refused(new Throwing(new CredentialUnavailableException("no", new RequestFailedException(503, "no")))).IsTransient, Is.False);
        Assert.That(Refused(new Throwing(new AuthenticationFailedException("no", new AggregateException(new CredentialUnavailableException("no", new TimeoutException()))))).IsTransient, Is.False);
    }

    [Test]
    public void Each_cause_counts()
    {
        Exception[] passing =
        [
            new AuthenticationFailedException("no", new MsalServiceException("temporarily_unavailable", "no", 503)), new AuthenticationFailedException("no", new HttpRequestException("no")),
            new AuthenticationFailedException("no", new InvalidOperationException("no", new TimeoutException())), new AuthenticationFailedException("no", new RequestFailedException(0, "no")),
            new AuthenticationFailedException("no", new AggregateException(new CredentialUnavailableException("no"), new AuthenticationFailedException("no", new RequestFailedException(429, "no")))),
        ];
        Exception[] final = [new AuthenticationFailedException("no"), new AuthenticationFailedException("no", new MsalServiceException("invalid_client", "no", 401)), new AuthenticationFailedException("no", new MsalClientException("no", "no"))];

        Assert.That(passing.Select(exception => Refused(new Throwing(exception)).IsTransient), Is.All.True);
        Assert.That(final.Select(exception => Refused(new Throwing(exception)).IsTransient), Is.All.False);
    }

    private sealed class Throwing(Exception exception) : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw exception;

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) => throw exception;
    }
}
