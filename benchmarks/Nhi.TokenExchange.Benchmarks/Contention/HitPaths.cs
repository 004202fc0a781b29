using Google.Apis.Auth.OAuth2;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>One hit. Implementations are structs, so that the loop around them is compiled for each.</summary>
internal interface IHitPath
{
    object? Hit();
}

internal readonly struct FloorPath() : IHitPath
{
    private readonly FloorCache _cache = new();

    public object? Hit() => _cache.Get();
}

internal readonly struct OurPath(CredentialProvider<BearerToken> provider) : IHitPath
{
    public object? Hit() => provider.GetAsync().Result;
}

internal readonly struct MemoryPath : IHitPath, IDisposable
{
    private readonly MemoryCache _cache = new(new MemoryCacheOptions());

    public MemoryPath() => _cache.Set("warehouse", new object(), TimeSpan.FromHours(1));

    public object? Hit() => _cache.TryGetValue("warehouse", out object? value) ? value : null;

    public void Dispose() => _cache.Dispose();
}

internal readonly struct AwsPath(AwsPeer credentials) : IHitPath
{
    public object? Hit() => credentials.GetCredentialsAsync().Result;
}

internal readonly struct GooglePath(ITokenAccess credential) : IHitPath
{
    public object? Hit() => credential.GetAccessTokenForRequestAsync().Result;
}

internal readonly struct MsalPath(IConfidentialClientApplication app) : IHitPath
{
    public object? Hit() => app.AcquireTokenForClient(MicrosoftPeers.Scopes).ExecuteAsync().Result;
}
