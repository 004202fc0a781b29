namespace Nhi.TokenExchange;

/// <summary>The exchanger's side of a trust, as errors show it.</summary>
/// <param name="Host">The authority's host.</param>
/// <param name="ClientId">The application.</param>
/// <param name="SubjectAudience">For whom proofs are asked.</param>
/// <param name="ExpectedIssuer">What is registered, if the options say so.</param>
/// <param name="ExpectedSubject">What is registered, if the options say so.</param>
/// <param name="Now">The clock.</param>
internal sealed record EntraTrust(string Host, string ClientId, string SubjectAudience, string? ExpectedIssuer, string? ExpectedSubject, Func<DateTimeOffset> Now);
