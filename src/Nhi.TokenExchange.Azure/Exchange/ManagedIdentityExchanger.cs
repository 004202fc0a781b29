namespace Nhi.TokenExchange;

/// <summary>No exchange: what the platform gives the workload for a resource is the credential.</summary>
internal sealed class ManagedIdentityExchanger : TokenExchanger<BearerToken>
{
    private static readonly Uri Platform = new("urn:azure:managed-identity");

    private readonly string _resource;

    /// <exception cref="ArgumentException">The resource is none.</exception>
    public ManagedIdentityExchanger(string resource)
    {
        ArgumentException.ThrowIfNullOrEmpty(resource);
        _resource = EntraScope.ResourceOf(resource);
        if (FlawOfResource(_resource) is { } flaw)
            throw new ArgumentException($"The resource {flaw}.", nameof(resource));
        SubjectAudience = new Audience(_resource);
    }

    public override Uri Issuer => Platform;

    public override Audience SubjectAudience { get; }

    public override bool IsPlatformIssued => true;

    public override ExposureAnswer ReusableAfterJob { get; } = ExposureAnswer.Yes("nothing ends the platform's own token before its time: a copy works until it dies, up to a day after it was issued");

    public override ExposureAnswer VisibleToOperators { get; } = ExposureAnswer.Yes("the platform gives the same token to whoever can ask its metadata endpoint from this machine, an operator with a shell included");

    /// <summary>Says what is wrong with a resource; null if nothing is.</summary>
    public static string? FlawOfResource(string resource) =>
        resource.Length <= 1024 && (Uri.TryCreate(resource, UriKind.Absolute, out _) || Guid.TryParseExact(resource, "D", out _)) && !resource.AsSpan().ContainsAnyExceptInRange('!', '~')
            ? null
            : "is not the App ID URI of an API, such as https://storage.azure.com, and not its application id";

    public override string? FlawOf(ScopeSet scopes) => scopes.IsEmpty || (scopes.Values is [var scope] && scope == _resource + EntraScope.Suffix)
        ? null
        : $"are '{ExceptionText.Clean(scopes.ToString())}', but the resource is all that a managed identity is asked for: leave them out, or write {ExceptionText.Clean(_resource)}{EntraScope.Suffix}";

    public override ValueTask<Issued<BearerToken>> ExchangeAsync(ExchangeRequest request, CancellationToken cancellationToken)
    {
        // Clients that learn the tenant from a challenge (Key Vault's) name it; a managed identity has one only.
        if (request.Tenant is { } tenant && PresentedProof.Of(request.Subject).TenantId is { } own && !string.Equals(tenant, own, StringComparison.OrdinalIgnoreCase))
            throw Refused(ErrorCodes.TenantRefused, $"Tenant '{ExceptionText.Clean(tenant)}' was asked for; the managed identity is of tenant '{ExceptionText.Clean(own)}'.", "To reach another tenant exchange the identity by Targets.Entra(tenantId, clientId).");
        if (request.Claims is not null)
            throw Refused(ErrorCodes.ClaimsRefused, "The claims of a challenge were given; a managed identity takes none.", "Ask without claims: continuous access evaluation is not for managed identities.");
        SubjectToken subject = request.Subject;
        bool isPlatforms = subject.Type == SubjectTokenType.AccessToken && subject.IsPlatformAttested && subject.AskedFor == SubjectAudience;
        if (!isPlatforms || subject.ExpiresAt is not { } end)
        {
            throw Refused(ErrorCodes.ExchangerFailed, $"The proof is no token that the platform gave for '{ExceptionText.Clean(_resource)}' (type {ExceptionText.Clean(subject.Type.ToString())}, asked for '{ExceptionText.Clean(subject.AskedFor?.ToString() ?? "nothing that is known")}'). It was not handed on: it proves the job, it opens nothing.",
                "Give this target an identity whose source is IdentitySources.ManagedIdentity(). To exchange another proof use Targets.Entra(tenantId, clientId).");
        }
        try
        {
            return new(new Issued<BearerToken>(new BearerToken(subject.Reveal(), end)));
        }
        catch (ArgumentException malformed)   // names length or position, never the token
        {
            throw Refused(ErrorCodes.IssuerAnswerMalformed, $"The platform gave a token that can't be sent: {malformed.Message}", "Check that the metadata address is the platform's own.");
        }
    }

    private static TokenExchangeException Refused(string code, string what, string hint) => new(code, ExchangeStage.Exchange, what) { Hint = hint };
}
