using System.Globalization;

namespace Nhi.TokenExchange;

/// <summary>A program that a job gets a credential for, where the job hands credentials on: a client of a broker. Each caller gets credentials of its own, so that they can be ended when it ends. The policy sees who it is, and the audit records it.</summary>
/// <param name="id">Tells it from all other callers of the job, before it and after it. Not secret, and not empty.</param>
/// <param name="name">What a rule may know it by, the same at each run. Not secret, and not empty.</param>
/// <param name="processId">Its process, as the kernel told it; null if that is not known.</param>
/// <param name="userId">The user that the process runs as, as the kernel told it; null if that is not known.</param>
/// <exception cref="ArgumentException">The id or the name is empty.</exception>
public sealed class CredentialCaller(string id, string name, int? processId = null, long? userId = null)
{
    /// <summary>Tells it from all other callers of the job.</summary>
    public string Id { get; } = NotEmpty(id, nameof(id));

    /// <summary>What a rule may know it by.</summary>
    public string Name { get; } = NotEmpty(name, nameof(name));

    /// <summary>Its process, as the kernel told it; null if that is not known.</summary>
    public int? ProcessId { get; } = processId;

    /// <summary>The user that the process runs as, as the kernel told it; null if that is not known.</summary>
    public long? UserId { get; } = userId;

    /// <summary>Whether all that is said of the two is the same.</summary>
    public override bool Equals(object? obj) => obj is CredentialCaller other && (Id, Name, ProcessId, UserId) == (other.Id, other.Name, other.ProcessId, other.UserId);

    /// <summary>By the id.</summary>
    public override int GetHashCode() => Id.GetHashCode(StringComparison.Ordinal);

    /// <summary>Name, process, user and id; for logs and the audit.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Name}{(ProcessId is { } process ? $", process {process}" : "")}{(UserId is { } user ? $", user {user}" : "")} ({Id})");

    private static string NotEmpty(string text, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(text, parameter);
        return text;
    }
}
