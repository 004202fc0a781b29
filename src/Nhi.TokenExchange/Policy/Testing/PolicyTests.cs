using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Tests of a policy: requests with the decisions that are expected of it, in a file that its reviewers read. For <c>dotnet test</c>, a case each.</summary>
public static class PolicyTests
{
    /// <summary>Decides each request by the document and compares. In mode <c>observe</c>, what would be decided counts.</summary>
    /// <param name="policy">The document.</param>
    /// <param name="utf8">The cases: JSON, <c>{ "cases": [ { "name": …, "request": { … }, "expect": { "decision": "permit", "rule": … } } ] }</c>.</param>
    /// <param name="name">What errors call them, such as the name of their file.</param>
    /// <returns>A result for each case, in their order; at least one.</returns>
    /// <exception cref="TokenExchangeException">The cases are wrong (NHI1006); the message names every error with its place.</exception>
    public static IReadOnlyList<PolicyTestResult> Run(PolicyDocument policy, ReadOnlySpan<byte> utf8, string name = "cases")
    {
        ArgumentNullException.ThrowIfNull(policy);
        var errors = new PolicyErrors(name);
        IReadOnlyList<PolicyCase> cases = new CaseReading(errors).Read(utf8);
        errors.ThrowIfAny();
        return [.. cases.Select(one => one.RunOn(policy))];
    }

    /// <summary>As the other overload, of a text.</summary>
    /// <param name="policy">The document.</param>
    /// <param name="json">The cases.</param>
    /// <param name="name">What errors call them, such as the name of their file.</param>
    /// <returns>As of the other overload.</returns>
    /// <exception cref="TokenExchangeException">As of the other overload.</exception>
    public static IReadOnlyList<PolicyTestResult> Run(PolicyDocument policy, string json, string name = "cases")
    {
        ArgumentNullException.ThrowIfNull(json);
        return Run(policy, Encoding.UTF8.GetBytes(json), name);
    }
}
