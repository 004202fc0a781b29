namespace Nhi.TokenExchange;

/// <summary>The kinds of host at which Azure hands out tokens of managed identities; each has a contract of its own.</summary>
public enum ManagedIdentityHost
{
    /// <summary>Virtual machines, scale sets, AKS nodes: the instance metadata service, api-version 2018-02-01.</summary>
    Imds,

    /// <summary>App Service, Functions, Container Apps: api-version 2019-08-01.</summary>
    AppService,

    /// <summary>Servers under Azure Arc: a challenge that names a key file. System-assigned identity only.</summary>
    AzureArc,

    /// <summary>Azure Machine Learning: api-version 2017-09-01. Client ids only.</summary>
    MachineLearning,

    /// <summary>Cloud Shell. Its tokens are a person's.</summary>
    CloudShell,

    /// <summary>Service Fabric: HTTPS with a pinned certificate, api-version 2020-05-01 or 2019-07-01-preview.</summary>
    ServiceFabric,
}
