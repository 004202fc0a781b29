using System.Diagnostics;
using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Gives the credential of a target to whoever wants a <see cref="TokenCredential"/>. Which one is the provider's to say, each time; kept is only the form that Azure.Core wants the last one in.</summary>
internal sealed class ProviderTokenCredential : TokenCredential
{
    private readonly CredentialProvider<BearerToken> _provider;
    private readonly bool _targetHasScopes;
    private readonly string[] _scopes;

    // One reference, read and written whole; who overwrites it with an older one only converts once more. Dropped at each miss, so also after the job's end.
    private Converted? _converted;

    /// <param name="provider">Gives the credential.</param>
    /// <param name="named">What may be asked for where the target has no scopes.</param>
    public ProviderTokenCredential(CredentialProvider<BearerToken> provider, ScopeSet named)
    {
        _provider = provider;
        _targetHasScopes = !provider.Scopes.IsEmpty;
        _scopes = [.. (_targetHasScopes ? provider.Scopes : named).Values];
    }

    /// <inheritdoc/>
    /// <exception cref="TokenExchangeException">Other scopes than the target's are asked for, or there is no credential to be had, or the job has ended.</exception>
    public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        // A Task in both cases: an AccessToken is large, and would be copied through the ValueTask.
        new(IsPlain(requestContext) && _provider.TryGet(out BearerToken? ready) ? Convert(ready).Task : MissAsync(requestContext, cancellationToken));

    /// <inheritdoc/>
    /// <exception cref="TokenExchangeException">As <see cref="GetTokenAsync"/>.</exception>
    public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
        IsPlain(requestContext) && _provider.TryGet(out BearerToken? ready)
            ? Convert(ready).Token
            : Blocking.Wait(MissAsync(requestContext, cancellationToken));

    /// <summary>The target's name; never a token.</summary>
    public override string ToString() => $"TokenCredential of target '{_provider.Target}'";

    private async Task<AccessToken> MissAsync(TokenRequestContext context, CancellationToken cancellationToken)
    {
        _converted = null;
        BearerToken credential = RequestOf(context) is { } request
            ? await _provider.GetAsync(request, cancellationToken).ConfigureAwait(false)
            : await _provider.GetAsync(cancellationToken).ConfigureAwait(false);
        return TokenOf(credential);
    }

    private Converted Convert(BearerToken credential)
    {
        Converted? converted = _converted;
        if (converted is null || !ReferenceEquals(converted.Credential, credential))
            _converted = converted = new Converted(credential, TokenOf(credential));
        return converted;
    }

    // The client keeps what it gets: it is told the ends of the provider, not the issuer's.
    private static AccessToken TokenOf(BearerToken credential) => new(credential.Reveal(), credential.UnusableFrom, credential.RefreshAt);

    /// <summary>Whether the target's own credential is asked for. Looks at the texts: an array may have been changed since it was seen.</summary>
    private bool IsPlain(in TokenRequestContext context)
    {
        if (!string.IsNullOrEmpty(context.Claims) || !string.IsNullOrEmpty(context.TenantId) || context.IsProofOfPossessionEnabled)
            return false;
        string[]? asked = context.Scopes;
        if (asked is null or [])
            return true;
        if (asked.Length != _scopes.Length)
            return false;
        for (int i = 0; i < asked.Length; i++)   // SequenceEqual calls through an interface for each
        {
            if (asked[i] != _scopes[i])
                return false;
        }
        return true;
    }

    /// <summary>What differs from the target; null if nothing does.</summary>
    private CredentialRequest? RequestOf(in TokenRequestContext context)
    {
        if (context.IsProofOfPossessionEnabled)
            throw Refused(ErrorCodes.BoundTokenWanted, ExchangeStage.Configure, "A proof-of-possession token was asked for; this credential gives bearer tokens.", "Turn proof of possession off in the client's options.");
        ScopeSet? narrower = ScopesOf(context.Scopes);
        string? claims = string.IsNullOrEmpty(context.Claims) ? null : context.Claims;
        string? tenant = string.IsNullOrEmpty(context.TenantId) ? null : context.TenantId;
        return narrower is null && claims is null && tenant is null ? null : new CredentialRequest { Scopes = narrower, Claims = claims, Tenant = tenant };
    }

    private ScopeSet? ScopesOf(string[]? asked)
    {
        if (asked is null or [])
            return null;
        foreach (string? scope in asked)
        {
            if (Array.IndexOf(_scopes, scope) < 0)
                throw OutsideTarget(scope);
        }
        // Names for a target without scopes are ours and the client's alone: its provider is asked without any.
        if (!_targetHasScopes)
            return null;
        var narrower = ScopeSet.Of(asked);
        return narrower == _provider.Scopes ? null : narrower;
    }

    private TokenExchangeException OutsideTarget(string? scope) => Refused(
        ErrorCodes.ScopeOutsideTarget, ExchangeStage.Authorize,
        $"The scope '{ExceptionText.Clean(scope)}' was asked for; {(_scopes.Length == 0 ? "the target has none" : $"the target has '{string.Join(' ', _scopes)}'")}.",
        _scopes.Length == 0 ? "If the credential is for that resource, say so: provider.AsTokenCredential(\"https://…/.default\")." : "Give this client a target of its own, or correct the scope of the target: they are compared exactly.");

    private TokenExchangeException Refused(string code, ExchangeStage stage, string detail, string hint) => new(code, stage, detail) { Target = _provider.Target, Hint = hint };

    private sealed class Converted
    {
        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public readonly AccessToken Token;

        [DebuggerBrowsable(DebuggerBrowsableState.Never)]
        public readonly Task<AccessToken> Task;

        public readonly BearerToken Credential;

        public Converted(BearerToken credential, AccessToken token)
        {
            Credential = credential;
            Token = token;
            Task = System.Threading.Tasks.Task.FromResult(token);
        }
    }
}
