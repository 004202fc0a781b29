using System.Buffers;
using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Acts as a service account: IAM Service Account Credentials API, <c>generateAccessToken</c>.</summary>
internal sealed class GoogleServiceAccount(string account, IReadOnlyList<string> delegates, Uri iam, GoogleProvider provider)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    /// <summary>Swaps the workload's own token for one of the service account.</summary>
    /// <exception cref="TokenExchangeException">Google refused, was not reached, or answered what can't be read.</exception>
    public async Task<Issued<BearerToken>> ActAsync(BearerToken workload, IEnumerable<string> scopes, ExchangeRequest request, CancellationToken cancellationToken)
    {
        var sent = new SentSecrets();
        sent.Add(workload.Reveal());
        sent.Add(request.Subject.Reveal());
        using var post = new IssuerRequest(HttpMethod.Post, new Uri(iam, $"/v1/projects/-/serviceAccounts/{account}:generateAccessToken"), sent);
        workload.ApplyTo(post.Headers);
        TimeSpan life = TimeSpan.FromSeconds(Math.Max(1, Math.Floor(request.MaxLifetime.TotalSeconds)));
        post.Content = new ReadOnlyMemoryContent(Body(scopes, life)) { Headers = { ContentType = Json } };
        RefusalIsWanted.Set(post);
        (DateTimeOffset, long) first = LastTry.First(request.Time);
        using HttpResponseMessage response = await request.Backchannel.SendAsync(post, cancellationToken).ConfigureAwait(false);
        // Our back channel has read it; somebody else's need not have.
        using BoundedContent content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        string? correlationId = CorrelationIds.Of(response, sent);
        if (!response.IsSuccessStatusCode)
            throw Refused(response, content.Bytes, sent, correlationId, request);
        return Issue(OAuthIssuer.IsJson(response.Content) ? content.Bytes : default, LastTry.Of(post, first, request.Time) + life, sent, correlationId, workload.Reveal(), request.Subject.Reveal());
    }

    private byte[] Body(IEnumerable<string> scopes, TimeSpan life)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (delegates.Count > 0)
            {
                json.WriteStartArray("delegates");
                foreach (string one in delegates)
                    json.WriteStringValue($"projects/-/serviceAccounts/{one}");
                json.WriteEndArray();
            }
            json.WriteStartArray("scope");
            foreach (string scope in scopes)
                json.WriteStringValue(scope);
            json.WriteEndArray();
            json.WriteString("lifetime", string.Create(CultureInfo.InvariantCulture, $"{(long)life.TotalSeconds}s"));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private Issued<BearerToken> Issue(ReadOnlySpan<byte> json, DateTimeOffset longestEnd, SentSecrets sent, string? correlationId, params ReadOnlySpan<string> tokens)
    {
        string? token = null, expires = null;
        var members = new JsonMembers(json, sent);
        while (members.MoveNext())
        {
            switch (members.Name)
            {
                case "accessToken": token = members.Text(); break;
                case "expireTime": expires = members.Text(); break;
                default: break;
            }
        }
        if (string.IsNullOrEmpty(token))
            throw Malformed(members.Fault ?? "has no accessToken", correlationId);
        sent.Add(token);
        DateTimeOffset? said = DateTimeOffset.TryParse(expires, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset end) ? end : null;
        string? fault = members.Fault ?? (said is null ? $"has an expireTime '{OuterText.Shown(expires, 40, sent)}' that is no instant" : null);
        TokenExchangeException? flaw = tokens.Contains(token) ? Returned(correlationId) : fault is not null ? Malformed(fault, correlationId) : null;
        try
        {
            // No token lives longer than was asked for: one that seems to has its end from another clock than ours.
            return new Issued<BearerToken>(new BearerToken(token, said < longestEnd ? said.Value : longestEnd)) { EndIsAssumed = said is null, CorrelationId = correlationId, Flaw = flaw };
        }
        catch (ArgumentException exception)   // names the position, never the token
        {
            throw Malformed($"has an accessToken that can't be sent: {ExceptionText.SaidBy(exception)}", correlationId);
        }
    }

    private TokenExchangeException Returned(string? correlationId) =>
        new(ErrorCodes.ProofReturned, ExchangeStage.Verify, $"The accessToken of host {iam.IdnHost} is a token that was sent, so nobody acts as service account {account}. It is not handed out.") { CorrelationId = correlationId, Hint = "Check IamEndpoint, if it is set; a proxy may have answered." };

    private TokenExchangeException Malformed(string what, string? correlationId) =>
        new(ErrorCodes.IssuerAnswerMalformed, ExchangeStage.Exchange, $"The answer of host {iam.IdnHost} {what}.") { IsTransient = true, CorrelationId = correlationId, Hint = "Check IamEndpoint, if it is set; a proxy may have answered." };

    private TokenExchangeException Refused(HttpResponseMessage response, ReadOnlySpan<byte> body, SentSecrets sent, string? correlationId, ExchangeRequest request)
    {
        int status = (int)response.StatusCode;
        ErrorAnswer answer = OAuthIssuer.IsJson(response.Content) ? ErrorAnswer.Read(body, sent) : ErrorAnswer.Nothing;
        bool transient = status is 408 or 429 or >= 500;
        string code = status == 429 ? ErrorCodes.IssuerThrottled : transient ? ErrorCodes.IssuerUnreachable : status == 403 ? ErrorCodes.TrustMismatch : ErrorCodes.IssuerRefused;
        return new TokenExchangeException(code, ExchangeStage.Exchange, $"Host {iam.IdnHost} answered {status} {answer.Error} for service account {account}{(answer.Description.Length > 0 ? $": {answer.Description}" : "")}")
        {
            IsTransient = transient, RetryAfter = transient ? RetryAfterHeader.Read(response, request.Time) : null, CorrelationId = correlationId ?? answer.CorrelationId, Hint = HintFor(status, answer.Description, request.Subject),
        };
    }

    private string? HintFor(int status, string said, SubjectToken subject) => status switch
    {
        403 when said.Contains("disabled", StringComparison.OrdinalIgnoreCase) => "Enable the API in the project of the service account: gcloud services enable iamcredentials.googleapis.com",
        403 => HintForTrust(PresentedProof.Read(subject)),
        400 => "Check the scopes, and MaxLifetime of the target: more than an hour is given only where the organization's policy constraints/iam.allowServiceAccountCredentialLifetimeExtension lists the service account.",
        404 => "There is no such service account: correct ServiceAccount, or Delegates.",
        401 => "Google does not take the workload's own token. Check UniverseDomain and IamEndpoint, if they are set.",
        _ => null,
    };

    private string HintForTrust(PresentedProof? proof)
    {
        string chain = delegates.Count > 0 ? $" With Delegates the first of them, {delegates[0]}, has to let the workload in, and each one has to have roles/iam.serviceAccountTokenCreator on the next." : "";
        string first = delegates.Count > 0 ? delegates[0] : account;
        string said = $"Let the workload act as {first}, by the role roles/iam.workloadIdentityUser.{chain} What was granted minutes ago may not be known everywhere yet.";
        return proof is null || !CommandText.IsPlain(proof.Subject, first) ? said
            : $"{said}{proof.OtherForm} An admin makes it so, where the pool maps google.subject to sub: gcloud iam service-accounts add-iam-policy-binding {first} --role=roles/iam.workloadIdentityUser --member='{provider.Principal(proof.Subject)}'";
    }
}
