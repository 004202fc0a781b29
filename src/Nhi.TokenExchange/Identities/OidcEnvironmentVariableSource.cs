namespace Nhi.TokenExchange;

/// <summary>A proof in an environment variable: read at each use, and good for one life, because nobody can change a variable of a running process from outside.</summary>
internal sealed class OidcEnvironmentVariableSource : IWorkloadIdentitySource
{
    private readonly string _name;
    private readonly Func<string, string?> _environment;

    public OidcEnvironmentVariableSource(string name, Func<string, string?>? environment = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        if (name.AsSpan().ContainsAny('=', '\0'))
            throw new ArgumentException("A name of an environment variable has no '=' and no NUL.", nameof(name));
        _name = name;
        _environment = environment ?? Environment.GetEnvironmentVariable;
    }

    public ValueTask<SubjectToken> GetSubjectTokenAsync(SubjectTokenRequest request, CancellationToken cancellationToken)
    {
        string token = (_environment(_name) ?? "").Trim();
        if (token.Length == 0)
            throw Final(ErrorCodes.ProofUnavailable, "is not set, or empty", "Let the platform put a token there: in GitLab id_tokens, in Bitbucket oidc: true, in HCP Terraform TFC_WORKLOAD_IDENTITY_AUDIENCE. Case matters.");
        if (token.Length > SubjectToken.MaxLength)
            throw Final(ErrorCodes.ProofMalformed, $"has {token.Length} characters; a proof has at most {SubjectToken.MaxLength}", "Name the variable that holds the proof.");
        Jwt jwt;
        try
        {
            jwt = JwtReader.Read(token);
        }
        catch (FormatException malformed)
        {
            throw Final(ErrorCodes.ProofMalformed, $"holds no usable proof: {malformed.Message}", "Name the variable that holds the proof.");
        }
        if (request.MustBeNew || jwt.ExpiresAt - request.Time.GetUtcNow() < ProofCheck.ExpiryLeeway)
        {
            throw Final(ErrorCodes.ProofExpired, $"holds a proof that ended at {jwt.ExpiresAt:O} (it is {request.Time.GetUtcNow():O}) or was refused as expired; it cannot be refreshed in this process",
                "Start the step again, ask for a longer job token, or use a source that can be asked again: a file or the CI system's endpoint.");
        }
        return new(new SubjectToken(token, SubjectTokenType.Jwt, jwt.ExpiresAt));
    }

    public override string ToString() => $"OidcEnvironmentVariable({ExceptionText.Clean(_name)})";

    private IdentityUnavailableException Final(string code, string what, string hint) => new(code, $"The environment variable '{ExceptionText.Clean(_name)}' {what}.") { Hint = hint };
}
