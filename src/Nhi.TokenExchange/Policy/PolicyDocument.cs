using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Primitives;

namespace Nhi.TokenExchange;

/// <summary>A policy as a document: permits and forbids, compiled. There is no other form: what is wrong, or contradicts itself, does not compile. Immutable; safe to use from any number of threads.</summary>
/// <remarks>
/// Denied unless a permit matches and no forbid does. The language has a page of its own, Policy, and a JSON Schema in the package (PolicySchema.json).
/// To follow a file while it changes, name it by <see cref="TokenExchangeBuilder.PolicyFile"/> or the setting <c>Policy:File</c>.
/// </remarks>
public sealed class PolicyDocument : IAccessPolicy, IExposurePolicy
{
    private readonly RuleIndex _rules;

    private PolicyDocument(string name, long number, string digest, bool isObserved, int? maxDatasetsPerIdentity, PolicyRule[] rules)
    {
        Name = name;
        Number = number;
        Digest = digest;
        IsObserved = isObserved;
        MaxDatasetsPerIdentity = maxDatasetsPerIdentity;
        _rules = new RuleIndex(rules);
        LooksAtExposure = rules.Any(rule => rule.Conditions.OfType<ExposureCondition>().Any());
        Revision = FormattableString.Invariant($"{number}+sha256:{digest}");
    }

    /// <summary>The document's revision and the SHA-256 of its bytes: <c>7+sha256:ab12…</c>, 64 hexadecimal digits.</summary>
    public string Revision { get; }

    /// <summary>Whether the document is in mode <c>observe</c>: everything but static keys is permitted as it is asked, and the audit says what would have been decided.</summary>
    public bool IsObserved { get; }

    /// <summary>Whether a rule looks at the answers about a credential.</summary>
    internal bool LooksAtExposure { get; }

    bool IExposurePolicy.LooksAtExposure => LooksAtExposure;

    internal string Name { get; }

    internal long Number { get; }

    internal string Digest { get; }

    internal int? MaxDatasetsPerIdentity { get; }

    internal IReadOnlyList<PolicyRule> Rules => _rules.All;

    /// <summary>Compiles a document.</summary>
    /// <param name="utf8">Its bytes, UTF-8, at most 1 MiB.</param>
    /// <param name="name">What errors call it, such as the name of its file.</param>
    /// <exception cref="TokenExchangeException">It is wrong (NHI1006); the message names every error with line, column, member, and what to do.</exception>
    public static PolicyDocument Parse(ReadOnlySpan<byte> utf8, string name = "policy")
    {
        var errors = new PolicyErrors(name);
        PolicyDocument? document = TryParse(utf8, errors);
        errors.ThrowIfAny();
        return document!;
    }

    /// <summary>As the other overload, of a text; its digest is that of its bytes in UTF-8.</summary>
    /// <param name="json">The document.</param>
    /// <param name="name">What errors call it, such as the name of its file.</param>
    /// <exception cref="TokenExchangeException">As of the other overload.</exception>
    public static PolicyDocument Parse(string json, string name = "policy")
    {
        ArgumentNullException.ThrowIfNull(json);
        return Parse(Encoding.UTF8.GetBytes(json), name);
    }

    /// <summary>Compiles a document; null if it is wrong, which is noted.</summary>
    internal static PolicyDocument? TryParse(ReadOnlySpan<byte> utf8, PolicyErrors errors)
    {
        var reading = new DocumentReading(errors);
        PolicyRule[] rules = reading.Read(utf8);
        return errors.Count > 0 ? null : new PolicyDocument(errors.Document, reading.Revision, DigestOf(utf8), reading.IsObserved, reading.MaxDatasetsPerIdentity, rules);
    }

    internal static string DigestOf(ReadOnlySpan<byte> utf8) => Convert.ToHexStringLower(SHA256.HashData(utf8));

    /// <summary>Decides one request, at once.</summary>
    /// <param name="request">Who asks for what, and when.</param>
    /// <param name="cancellationToken">Not looked at.</param>
    public ValueTask<AccessDecision> DecideAsync(AccessRequest request, CancellationToken cancellationToken = default) => new(Decide(request));

    /// <summary>Never fires: a document does not change.</summary>
    public IChangeToken GetChangeToken() => NeverChanges.Token;

    internal AccessDecision Decide(AccessRequest request)
    {
        AccessDecision decision = Evaluate(request);
        // A static key is permitted in so many words, or not at all.
        AccessDecision counts = IsObserved && request.StaticKey is null ? AccessDecision.Observed(decision) : decision;
        counts.Revision = Revision;
        return counts;
    }

    /// <summary>What the rules say, whatever the mode.</summary>
    internal AccessDecision Evaluate(AccessRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return PolicyEvaluation.Decide(_rules, request);
    }
}
