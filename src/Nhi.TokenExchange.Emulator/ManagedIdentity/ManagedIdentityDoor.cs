using System.Security.Cryptography;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>What each host wants to see before it looks at the request: the header against forged requests, the secret, the contract's version.</summary>
internal static class ManagedIdentityDoor
{
    public static void Open(EmulatorRequest request, ManagedIdentityHost host, string secret)
    {
        switch (host)
        {
            case ManagedIdentityHost.Imds or ManagedIdentityHost.AzureArc:
                Metadata(request, host);
                // The same page: what was forwarded is refused, since it was not asked for by this machine.
                if (request.Header("X-Forwarded-For") is not null)
                    throw ManagedIdentityErrors.Refuse(host, "invalid_request", "forwarded", "Requests must not contain an X-Forwarded-For header.");
                Version(request, host, "2018-02-01", "2019-08-01", "2019-11-01", "2020-06-01", "2021-02-01");
                break;
            case ManagedIdentityHost.CloudShell:
                Metadata(request, host);
                break;
            case ManagedIdentityHost.AppService:
                Secret(request, host, "X-IDENTITY-HEADER", secret);
                Version(request, host, "2019-08-01");
                break;
            case ManagedIdentityHost.MachineLearning:
                Secret(request, host, "secret", secret);
                Version(request, host, "2017-09-01");
                break;
            default:
                Secret(request, host, "secret", secret);
                Version(request, host, "2019-07-01-preview", "2020-05-01");
                break;
        }
    }

    private static void Metadata(EmulatorRequest request, ManagedIdentityHost host)
    {
        if (request.Header("Metadata") != "true")
            throw ManagedIdentityErrors.Refuse(host, "bad_request_102", "metadata_header_missing", "Required metadata header not specified");
    }

    private static void Secret(EmulatorRequest request, ManagedIdentityHost host, string header, string secret)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(request.Header(header) ?? ""), Encoding.UTF8.GetBytes(secret)))
            throw ManagedIdentityErrors.Refuse(host, "unauthorized", "identity_header_wrong", $"The header {header} is missing or wrong.", 401);
    }

    private static void Version(EmulatorRequest request, ManagedIdentityHost host, params ReadOnlySpan<string> known)
    {
        if (!known.Contains(request.Query("api-version") ?? ""))
            throw ManagedIdentityErrors.Refuse(host, "invalid_request", "api_version_unknown", $"The api-version is missing or not supported; supported: {string.Join(", ", known!)}.");
    }
}
