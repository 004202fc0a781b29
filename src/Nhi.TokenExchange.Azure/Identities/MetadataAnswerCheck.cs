namespace Nhi.TokenExchange;

/// <summary>Compares a token with what was asked: a host may give another identity's, or one for another API, and the job would present it there.</summary>
internal static class MetadataAnswerCheck
{
    // Entra writes some audiences as the GUID of the application, and some as spn:GUID: those say nothing about the name that was asked.
    private static readonly string[] Comparable = ["https", "http", "api"];

    /// <exception cref="IdentityUnavailableException">The token is for something else, or somebody else's.</exception>
    public static void Check(MetadataAnswer answer, AzureManagedIdentityId id, string resource)
    {
        if (answer.Resource is { Length: > 0 } given && !IsSame(given, resource))
            throw Mismatch("for resource", resource, given);
        if (answer.ClientId is { Length: > 0 } client && id.ClientId is { } asked && !string.Equals(client, asked, StringComparison.OrdinalIgnoreCase))
            throw Mismatch("of client id", asked, client);
        foreach (string audience in AudiencesOf(answer.Reveal()))
        {
            if (IsComparable(audience) && IsComparable(resource) && !IsSame(audience, resource))
                throw Mismatch("for audience (aud)", resource, audience);
        }
    }

    // What is no JWT shows no audience. Whether such a token may be sent is for the check of proofs to say.
    private static IReadOnlyList<string> AudiencesOf(string token)
    {
        try
        {
            return JwtReader.LooksLikeJwt(token) ? JwtReader.Read(token).Audiences : [];
        }
        catch (FormatException)
        {
            return [];
        }
    }

    private static bool IsComparable(string name) => Uri.TryCreate(name, UriKind.Absolute, out Uri? uri) && Comparable.Contains(uri.Scheme);

    private static bool IsSame(string left, string right) => string.Equals(Bare(left), Bare(right), StringComparison.OrdinalIgnoreCase);

    // Platforms put one slash behind a resource, or take one off.
    private static string Bare(string name) => name.EndsWith('/') ? name[..^1] : name;

    private static IdentityUnavailableException Mismatch(string what, string asked, string given) =>
        new(ErrorCodes.ProofForAnotherAudience, $"The platform gave a token {what} '{OuterText.Shown(given, 200)}'; asked was '{ExceptionText.Clean(asked, 200)}'. It was not presented.")
        {
            Hint = "Check that the identity endpoint is the platform's own, and which identities are assigned to this resource.",
        };
}
