using System.Globalization;
using System.Net.Http.Headers;

namespace Nhi.TokenExchange;

/// <summary>One namespace of a Vault or OpenBao server: sends a call, reads what comes back. "HTTP API", "Response Wrapping".</summary>
internal sealed class VaultServer(Uri address, string? @namespace)
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    public Uri Address => address;

    public bool IsRoot => @namespace is null;

    private string? Namespace => @namespace;

    /// <summary>Whether a token of the other namespace is good here.</summary>
    public bool IsBelow(VaultServer other) => other.Namespace is not { } above || @namespace == above || @namespace?.StartsWith(above + "/", StringComparison.Ordinal) == true;

    /// <summary>What is wrong with the target that a secret of this server is read through; null if nothing is.</summary>
    /// <remarks>A proof that was sent as a token, or a token that was sent to another server, would be seen by who must not see it.</remarks>
    public string? FlawOfLogin(TokenExchanger? hop) =>
        hop is null ? "is missing: a secret is read with the token of a login"
        : hop is not VaultLoginExchanger login ? "names a target that is no login to Vault"
        : hop.Issuer != address ? "names a login to another server"
        : !IsBelow(login.Server) ? "names a login of another namespace, which is neither the same nor above"
        : null;

    /// <summary>Sends a call. A wrapped answer is opened.</summary>
    /// <exception cref="TokenExchangeException">Vault refused, was not reached, or answered what can't be read.</exception>
    public async Task<VaultAnswer> AskAsync(VaultCall call, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        VaultReply reply = await SendAsync(call, backchannel, time, cancellationToken).ConfigureAwait(false);
        return await ReadAsync(reply, backchannel, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads what came back. A wrapped answer is opened.</summary>
    /// <exception cref="TokenExchangeException">Vault refused, or answered what can't be read.</exception>
    public async Task<VaultAnswer> ReadAsync(VaultReply reply, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!reply.IsSuccess)
            throw VaultRefusal.Of(reply, this, time);
        VaultAnswer answer = reply.ReadAnswer();
        return reply.Call.WrapFor is null ? answer : await UnwrapAsync(reply.Call, answer, backchannel, time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What a refusal of a call with the login's token means.</summary>
    public async Task<TokenExchangeException> RefusalAsync(VaultReply reply, ExchangeRequest request, CancellationToken cancellationToken)
    {
        if (reply.SaysTokenIsDead || !await IsRefusedAsDeadAsync(reply, request.Subject, request.Backchannel, request.Time, cancellationToken).ConfigureAwait(false))
            return VaultRefusal.Of(reply, this, request.Time);
        return new TokenExchangeException(ErrorCodes.ProofRefused, ExchangeStage.Exchange, $"{VaultRefusal.Said(reply, this)}.") { CorrelationId = reply.CorrelationId, Hint = "The Vault token has ended or was revoked." };
    }

    /// <summary>Whether a token that was refused may not even look at itself. Older servers, which know no namespaces, say no more than "permission denied" of one that has ended; of one whose role does without the policy <c>default</c>, all say so.</summary>
    /// <exception cref="TokenExchangeException">Vault was not reached.</exception>
    public async Task<bool> IsRefusedAsDeadAsync(VaultReply reply, SubjectToken token, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!reply.SaysItIsDenied || !IsRoot)
            return false;
        var call = new VaultCall("auth/token/lookup-self") { Token = token };
        return await SendAsync(call, backchannel, time, cancellationToken).ConfigureAwait(false) is { SaysItIsDenied: true } or { SaysTokenIsDead: true };   // what fails in passing says nothing about the token
    }

    /// <summary>Sends a call whose refusal the caller reads himself.</summary>
    /// <exception cref="TokenExchangeException">Vault was not reached.</exception>
    public async Task<VaultReply> SendAsync(VaultCall call, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        (DateTimeOffset, long) first = LastTry.First(time);
        SentSecrets sent = call.Secrets();
        using var request = new IssuerRequest(call.Body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(address, $"/v1/{call.Path}"), sent);
        request.Headers.TryAddWithoutValidation("X-Vault-Request", "true");
        if (@namespace is not null)
            request.Headers.TryAddWithoutValidation("X-Vault-Namespace", @namespace);
        if (call.Token is { } token)
            request.Headers.TryAddWithoutValidation("X-Vault-Token", token.Reveal());
        if (call.WrapFor is { } life)
            request.Headers.TryAddWithoutValidation("X-Vault-Wrap-TTL", ((long)life.TotalSeconds).ToString(CultureInfo.InvariantCulture));
        if (call.Body is { } body)
            request.Content = new ByteArrayContent(body) { Headers = { ContentType = Json } };
        if (call.IsOnce)
            request.Options.Set(IssuerBackchannel.EachOneMakesAnew, true);
        RefusalIsWanted.Set(request);
        using HttpResponseMessage response = await backchannel.SendAsync(request, cancellationToken).ConfigureAwait(false);
        // Our back channel has read it; somebody else's need not have.
        using BoundedContent content = await BoundedContent.ReadAsync(response.Content, cancellationToken).ConfigureAwait(false);
        return new VaultReply(call, response, content.Bytes.ToArray(), sent) { AskedAt = LastTry.Of(request, first, time), MayRepeatALostOne = request.Options.TryGetValue(IssuerBackchannel.MayRepeatALostOne, out _) };
    }

    // "Response wrapping token validation": who put an answer of his own in the place of the real one has not made it where we asked; who read it before us has used the token up.
    private async Task<VaultAnswer> UnwrapAsync(VaultCall call, VaultAnswer wrapped, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(wrapped.WrappingToken))
            throw VaultRefusal.Malformed(this, wrapped, "is not wrapped, though that was asked for");
        var lookup = new VaultCall("sys/wrapping/lookup") { Body = VaultCall.Object(("token", wrapped.WrappingToken)), BodySecret = wrapped.WrappingToken, Opens = call };
        VaultAnswer looked = await OpenAsync(lookup, call, wrapped, backchannel, time, cancellationToken).ConfigureAwait(false);
        string expected = @namespace is null ? call.Path : $"{@namespace}/{call.Path}";
        if (looked.CreationPath is not { } path || (path.TrimEnd('/') != call.Path && path.TrimEnd('/') != expected))
            throw VaultRefusal.Opened(this, call, "was made at another path than the one that was asked; somebody put it there", accessor: null);
        var unwrap = new VaultCall("sys/wrapping/unwrap") { Body = VaultCall.Object(("token", wrapped.WrappingToken)), BodySecret = wrapped.WrappingToken, IsOnce = true, Opens = call };
        VaultAnswer answer = await OpenAsync(unwrap, call, wrapped, backchannel, time, cancellationToken).ConfigureAwait(false);
        answer.AskedAt = wrapped.AskedAt;   // its life began when it was made
        return answer;
    }

    private async Task<VaultAnswer> OpenAsync(VaultCall opening, VaultCall call, VaultAnswer wrapped, HttpMessageInvoker backchannel, TimeProvider time, CancellationToken cancellationToken)
    {
        VaultReply reply = await SendAsync(opening, backchannel, time, cancellationToken).ConfigureAwait(false);
        if (reply.Status is 400 or 403 or 404)
            throw VaultRefusal.Opened(this, call, "can't be opened: the wrapping token was used before, or has ended. If it has not, somebody else has read the secret", AccessorOf(wrapped, call));
        return reply.IsSuccess ? reply.ReadAnswer() : throw VaultRefusal.Of(reply, this, time);
    }

    // It is shown and can be copied into a command: not with a piece of what was sent or came.
    private static string? AccessorOf(VaultAnswer wrapped, VaultCall call) =>
        VaultAnswer.HandleOf(wrapped.WrappedAccessor, wrapped.WrappingToken ?? "", call.BodySecret ?? "", call.Token?.Reveal() ?? "");
}
