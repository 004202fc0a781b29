using System.Text.Json;

namespace Nhi.TokenExchange.Soak;

/// <summary>All that the process under test is told: where the issuers are, and where it is to write.</summary>
internal sealed record ChildOrders
{
    public required SoakOptions Options { get; init; }

    public required DateTimeOffset Wall { get; init; }

    public required long Timestamp { get; init; }

    /// <summary>Where records go that hold no secret; the checker looks for secrets in all of it.</summary>
    public required string Folder { get; init; }

    /// <summary>Where the kill switches of jobs are thrown.</summary>
    public string SwitchFolder => Path.Combine(Folder, "switches");

    /// <summary>Where jobs keep their trails.</summary>
    public string TrailFolder => Path.Combine(Folder, "trail");

    /// <summary>Where the platform puts proofs: the one place in which they may lie.</summary>
    public required string ProofFolder { get; init; }

    public required Uri Authorization { get; init; }

    public required Uri Databricks { get; init; }

    public required Uri Entra { get; init; }

    public required string EntraTenant { get; init; }

    public required Uri Vault { get; init; }

    public required string CertificatePem { get; init; }

    public required Uri Warehouse { get; init; }

    public static ChildOrders Read(string file) => JsonSerializer.Deserialize<ChildOrders>(File.ReadAllText(file))!;

    public void Write(string file) => File.WriteAllText(file, JsonSerializer.Serialize(this));
}
