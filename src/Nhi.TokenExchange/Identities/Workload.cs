namespace Nhi.TokenExchange;

/// <summary>Who got a credential first, as the first proof says it: it goes along through each hop, whose own credential says nothing of it.</summary>
/// <param name="Issuer">Who signed that proof; null: nobody that is known.</param>
/// <param name="Subject">Whom it names; null: nobody that is known.</param>
/// <param name="IsAPersons">It, or the proof of who acts for the subject at a hop, is a person's, let through for development.</param>
/// <param name="IsAsserted">Only the configuration says that it is a workload's.</param>
internal sealed record Workload(string? Issuer, string? Subject, bool IsAPersons, bool IsAsserted);
