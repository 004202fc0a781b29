using System.Collections.Concurrent;

namespace BrokerLoad;

/// <summary>One kind of attack: how often it was made, and how each was answered.</summary>
/// <param name="name">What was sent.</param>
/// <param name="refusals">The answers that refuse it: statuses, <see cref="CutOff"/>.</param>
internal sealed class Attack(string name, params string[] refusals)
{
    /// <summary>The connection was closed without an answer.</summary>
    public const string CutOff = "cut off";

    /// <summary>It was being sent when the load ended.</summary>
    public const string Unanswered = "not answered yet at the end";

    /// <summary>Too many were refused before that proved nothing.</summary>
    public const string TooMany = "429";

    private readonly ConcurrentDictionary<string, int> _answers = new();

    public string Name => name;

    /// <summary>How often each answer came.</summary>
    public IReadOnlyList<(string Answer, int Times)> Answers => [.. _answers.Select(one => (one.Key, one.Value)).Order()];

    public int Made => _answers.Values.Sum();

    /// <summary>How many were answered as a client is that may ask.</summary>
    public int Served => _answers.Where(one => one.Key.StartsWith('2')).Sum(one => one.Value);

    /// <summary>Each was answered by what refuses it, and not all by the limit on those that prove nothing. Another answer means that it met another check than the one that it is for.</summary>
    public bool IsRefused => _answers.Keys.Any(answer => answer != TooMany && refusals.Contains(answer)) && _answers.Keys.All(answer => answer == Unanswered || refusals.Contains(answer));

    public void Count(string answer) => _answers.AddOrUpdate(answer, 1, (_, times) => times + 1);
}
