namespace Nhi.TokenExchange;

/// <summary>The ports of the four roles. Each role has an origin of its own, so that checks of origins have something to see.</summary>
internal sealed record EmulatorPorts(string Host, int Issuer, int Authorization, int Databricks, int Warehouse)
{
    // The two OAuth issuers have a path, so that RFC 8414's insertion and OIDC's appending of the well-known part differ.
    public string IssuerIdentifier => $"http://{Host}:{Issuer}/issuer";

    public string AuthorizationIdentifier => $"http://{Host}:{Authorization}/as";

    public string DatabricksOrigin => $"http://{Host}:{Databricks}";

    public string WarehouseOrigin => $"http://{Host}:{Warehouse}";
}
