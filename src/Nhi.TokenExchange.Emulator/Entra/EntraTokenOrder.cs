namespace Nhi.TokenExchange;

/// <summary>All that goes into one token of Entra's.</summary>
internal sealed record EntraTokenOrder
{
    public required string TenantId { get; init; }

    public required string ClientId { get; init; }

    /// <summary>The service principal.</summary>
    public required string ObjectId { get; init; }

    public required EntraResource Resource { get; init; }

    /// <summary>The resource as the caller wrote it: version 1 tokens carry it so.</summary>
    public required string Asked { get; init; }

    public required TimeSpan Life { get; init; }

    public required string RequestId { get; init; }

    public string? ClientRequestId { get; init; }

    public IReadOnlyCollection<string> Roles { get; init; } = [];

    /// <summary>The ARM id behind a managed identity (claim <c>xms_mirid</c>).</summary>
    public string? ResourceId { get; init; }

    /// <summary>Cloud Shell's tokens are those of the person who sits at it.</summary>
    public bool IsPerson { get; init; }

    public string? Claims { get; init; }
}
