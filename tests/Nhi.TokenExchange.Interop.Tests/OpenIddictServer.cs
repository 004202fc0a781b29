using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Nhi.TokenExchange;

/// <summary>OpenIddict, in this process, on Kestrel at a free port of 127.0.0.1, with keys that die with it.</summary>
/// <remarks>It takes only tokens that it issued itself as proofs; a first one comes by client credentials.</remarks>
internal sealed class OpenIddictServer : IAsyncDisposable
{
    public const string Audience = "https://warehouse.example/";

    // Known to the server, but no client has the permission.
    public const string ForbiddenAudience = "https://vault.example/";

    private readonly WebApplication _app;

    private OpenIddictServer(WebApplication app)
    {
        _app = app;
        Issuer = new Uri(app.Urls.Single() + "/");   // as it names itself, with the slash
    }

    public Uri Issuer { get; }

    /// <summary>Starts the server with the public keys of its clients.</summary>
    public static async Task<OpenIddictServer> StartAsync(IReadOnlyDictionary<string, WorkloadKey> clients, bool encryptAccessTokens = false)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
        string database = Guid.NewGuid().ToString("N");
        builder.Services.AddDbContext<DbContext>(options => options.UseInMemoryDatabase(database).UseOpenIddict());
        builder.Services.AddAuthentication();
        builder.Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>())
            .AddServer(server => Configure(server, encryptAccessTokens));
        WebApplication app = builder.Build();
        app.UseAuthentication();
        app.MapPost("connect/token", (Delegate)IssueAsync);
        await RegisterAsync(app.Services, clients);
        await app.StartAsync();
        return new OpenIddictServer(app);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Configure(OpenIddictServerBuilder server, bool encryptAccessTokens)
    {
        server.SetTokenEndpointUris("connect/token").SetIntrospectionEndpointUris("connect/introspect").SetRevocationEndpointUris("connect/revoke");
        server.AllowClientCredentialsFlow().AllowTokenExchangeFlow();
        server.RegisterScopes("read", "write").RegisterAudiences(Audience, ForbiddenAudience).RegisterResources(Audience);
        server.AddEphemeralEncryptionKey().AddEphemeralSigningKey();
        server.SetAccessTokenLifetime(TimeSpan.FromMinutes(10)).SetIssuedTokenLifetime(TimeSpan.FromMinutes(10));
        if (!encryptAccessTokens)
            server.DisableAccessTokenEncryption();
        server.UseAspNetCore().EnableTokenEndpointPassthrough().DisableTransportSecurityRequirement();
    }

    private static async Task RegisterAsync(IServiceProvider services, IReadOnlyDictionary<string, WorkloadKey> clients)
    {
        await using AsyncServiceScope scope = services.CreateAsyncScope();
        IOpenIddictApplicationManager applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        foreach ((string clientId, WorkloadKey key) in clients)
        {
            await applications.CreateAsync(new OpenIddictApplicationDescriptor
            {
                ClientId = clientId,
                ClientType = ClientTypes.Confidential,
                JsonWebKeySet = new JsonWebKeySet(key.PublicJwks().ToJsonString()),
                Permissions =
                {
                    Permissions.Endpoints.Token, Permissions.Endpoints.Introspection, Permissions.Endpoints.Revocation,
                    Permissions.GrantTypes.ClientCredentials, Permissions.GrantTypes.TokenExchange,
                    Permissions.Prefixes.Scope + "read", Permissions.Prefixes.Scope + "write",
                    Permissions.Prefixes.Audience + Audience, Permissions.Prefixes.Resource + Audience,
                },
            });
        }
    }

    // Client, grant, audience, resource, scopes and both tokens have been checked by OpenIddict when this is reached.
    private static async Task<IResult> IssueAsync(HttpContext http)
    {
        OpenIddictRequest request = http.GetOpenIddictServerRequest()!;
        var identity = new ClaimsIdentity("interop", Claims.Name, Claims.Role);
        if (request.IsTokenExchangeGrantType())
        {
            AuthenticateResult result = await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
            identity.SetClaim(Claims.Subject, result.Principal!.GetClaim(Claims.Subject));
            identity.SetAudiences(request.GetAudiences()).SetResources(request.GetResources());
        }
        else
        {
            identity.SetClaim(Claims.Subject, request.ClientId);
            identity.SetResources(Audience);
        }
        identity.SetScopes(request.GetScopes());
        return Results.SignIn(new ClaimsPrincipal(identity), authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
