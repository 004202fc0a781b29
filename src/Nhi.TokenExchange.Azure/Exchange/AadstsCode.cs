namespace Nhi.TokenExchange;

/// <summary>What one AADSTS number means to a job.</summary>
/// <param name="Number">The number.</param>
/// <param name="Kind">What follows from it.</param>
/// <param name="Meaning">What is wrong, without a full stop.</param>
/// <param name="Field">What of the trust does not fit, if the trust is meant.</param>
/// <param name="Hint">What to change, and where.</param>
/// <param name="MaySettle">Whether a trust that was made minutes ago may be refused so.</param>
internal sealed record AadstsCode(int Number, AadstsKind Kind, string Meaning, TrustField Field = TrustField.None, string? Hint = null, bool MaySettle = false)
{
    private const string Federated = "In the Entra admin center under App registrations, the application, Certificates & secrets, Federated credentials (for a user-assigned identity: under its own Federated credentials)";
    private const string MakeItExact = "set exactly what was presented: issuer, subject and audience are compared character by character, upper and lower case included.";
    private const string NoSecret = "The exchange presents a federated assertion and no secret; a program between may have changed the request.";

    /// <summary>
    /// learn.microsoft.com/entra/identity-platform/reference-error-codes. Microsoft asks clients not to depend on the numbers: status and <c>error</c> are
    /// looked at first, a number that is not here changes nothing.
    /// </summary>
    private static readonly AadstsCode[] All =
    [
        new(70021, AadstsKind.Trust, "no federated identity credential fits the proof", TrustField.Whole, $"{Federated}, {MakeItExact}", MaySettle: true),
        new(700211, AadstsKind.Trust, "no federated identity credential has the proof's issuer", TrustField.Issuer, $"{Federated}, {MakeItExact} A missing or extra slash at the end is enough.", MaySettle: true),
        new(700212, AadstsKind.Trust, "no federated identity credential has the proof's audience", TrustField.Audience, $"{Federated}, {MakeItExact} Or let the proof be made for the registered audience (EntraOptions.SubjectAudience).", MaySettle: true),
        new(700213, AadstsKind.Trust, "no federated identity credential has the proof's subject", TrustField.Subject, $"{Federated}, {MakeItExact} For GitHub choose the entity (branch, environment, tag, pull request) that the job runs as, and mind that newer repositories have ids in their subject; for a managed identity it is the object (principal) id.", MaySettle: true),
        new(7002138, AadstsKind.Trust, "a federated identity credential has the proof's subject but for upper and lower case", TrustField.Subject, $"{Federated}, {MakeItExact} Look at the case of organization, repository and environment."),
        new(7002137, AadstsKind.Trust, "no federated identity credential has the proof's encoded subject", TrustField.Subject, $"{Federated}, {MakeItExact} Such a subject (/eid1/…) belongs to one service connection or agent: copy it from there."),
        new(700229, AadstsKind.Trust, "the proof is no token that an application got for itself", TrustField.AppOnly, "Use a managed identity or an application as the proof; a person's token can't be one."),
        new(700027, AadstsKind.Trust, "Entra ID does not know the key that signed the proof", TrustField.Key, "Let the issuer publish the key in its jwks_uri under its discovery document, reachable from the internet, RS256. Right after a change of keys Entra ID may still have the old ones for minutes.", MaySettle: true),
        new(50013, AadstsKind.Proof, "the proof is not valid: signature, issuer or times", TrustField.Key, "Compare the proof's issuer and key with what its issuer publishes; then the clocks."),
        new(700024, AadstsKind.Proof, "the proof is outside of its time", TrustField.Times, "A new proof is asked for each exchange; if this stays, compare the clocks of this machine and of whoever made the proof."),
        new(50012, AadstsKind.Trust, "the client assertion is not valid", TrustField.Whole, $"{Federated}, {MakeItExact}"),
        new(700016, AadstsKind.Trust, "the application is not in the tenant", TrustField.ClientId, "Compare the application (client) id and the tenant; in another tenant than its own the application must be consented to.", MaySettle: true),
        new(90002, AadstsKind.Trust, "there is no such tenant", TrustField.Tenant, "Compare the tenant id, and the cloud (EntraOptions.AuthorityHost)."),
        new(500011, AadstsKind.Trust, "the tenant does not know the resource", TrustField.Resource, "Compare the scope with the App ID URI of the API, and have it consented to in this tenant."),
        new(1002012, AadstsKind.Trust, "the scope is not that of an application", TrustField.Scope, "Write {resource}/.default."),
        new(70011, AadstsKind.Trust, "the scope is not valid", TrustField.Scope, "Write {resource}/.default, one."),
        new(700022, AadstsKind.Trust, "the scope names several resources", TrustField.Scope, "Declare a target for each resource."),
        new(700023, AadstsKind.Trust, "the scope names no resource", TrustField.Scope, "Write {resource}/.default."),
        new(90038, AadstsKind.Trust, "the tenant is in another national cloud", TrustField.Cloud, "Set EntraOptions.AuthorityHost; see EntraAuthorityHosts."),
        new(900382, AadstsKind.Trust, "a confidential client can't reach across clouds", TrustField.Cloud, "Proof, application and resource must be in one cloud; set EntraOptions.AuthorityHost."),
        new(900432, AadstsKind.Trust, "a confidential client can't reach across clouds", TrustField.Cloud, "Proof, application and resource must be in one cloud; set EntraOptions.AuthorityHost."),
        new(50194, AadstsKind.Trust, "the application has one tenant, and none was named", TrustField.Tenant, "Name the tenant by its id."),
        new(9001023, AadstsKind.Trust, "this grant needs a tenant", TrustField.Tenant, "Name the tenant by its id."),
        new(7000112, AadstsKind.Trust, "the application is disabled", TrustField.ClientId, "Enable it under Enterprise applications, Properties, or use another."),
        new(1000031, AadstsKind.Trust, "the application is not accessible in this tenant", TrustField.ClientId, "Have it consented to in this tenant."),
        new(700025, AadstsKind.Trust, "the application is a public client, which presents no assertion", TrustField.ClientId, "Under Authentication switch 'Allow public client flows' off, or use another application."),
        new(7000215, AadstsKind.Configuration, "a client secret was looked for", Hint: NoSecret),
        new(7000222, AadstsKind.Configuration, "a client secret was looked for", Hint: NoSecret),
        new(7000218, AadstsKind.Configuration, "the assertion did not arrive", Hint: NoSecret),
        new(900144, AadstsKind.Configuration, "a parameter did not arrive", Hint: NoSecret),
        new(90013, AadstsKind.Configuration, "the request is malformed", Hint: NoSecret),
        new(90014, AadstsKind.Configuration, "the request is malformed", Hint: NoSecret),
        new(90023, AadstsKind.Configuration, "the request is malformed", Hint: NoSecret),
        new(9002313, AadstsKind.Configuration, "the request is malformed", Hint: NoSecret),
        new(53003, AadstsKind.Policy, "Conditional Access blocks this workload", Hint: "See the sign-in log of service principals under the trace id: it names the policy (location or risk). Asking again changes nothing."),
        new(530003, AadstsKind.Policy, "Conditional Access demands what a workload has not", Hint: "See the sign-in log of service principals under the trace id: it names the policy."),
        new(50076, AadstsKind.Policy, "a claims challenge: the tenant demands a stronger sign-in", Hint: "Exempt the workload from the policy, or answer the claims (EntraOptions.AcceptClaimsChallenges)."),
        new(50079, AadstsKind.Policy, "a claims challenge: the tenant demands a stronger sign-in", Hint: "Exempt the workload from the policy, or answer the claims (EntraOptions.AcceptClaimsChallenges)."),
        new(50196, AadstsKind.Loop, "the client asks for the same too often", Hint: "Keep one session for the job, and look for a program in the same identity that asks in a loop."),
        new(90055, AadstsKind.Throttled, "the tenant has too many requests", Hint: "Ask less often; the limit is the tenant's."),
        .. new[] { 90033, 90006, 90024, 50033, 50087, 90012, 90090, 90091, 90036 }.Select(number => new AadstsCode(number, AadstsKind.Passing, "Entra ID, or what it asks, does not answer now")),
        new(90092, AadstsKind.Configuration, "the directory has a lasting error", Hint: "Give the trace id to Microsoft's support."),
    ];

    private static readonly Dictionary<int, AadstsCode> ByNumber = All.ToDictionary(code => code.Number);

    /// <summary>What a number means; null if nothing is known of it.</summary>
    public static AadstsCode? Of(int number) => ByNumber.GetValueOrDefault(number);
}
