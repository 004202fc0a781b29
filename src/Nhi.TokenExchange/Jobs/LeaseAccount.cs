namespace Nhi.TokenExchange;

/// <summary>What is true of a credential, and the record of it.</summary>
/// <param name="End">What is true.</param>
/// <param name="RecordAsync">Tells the audit, and then the journal; never fails.</param>
internal readonly record struct LeaseAccount(LeaseEnd End, Func<Task> RecordAsync);
