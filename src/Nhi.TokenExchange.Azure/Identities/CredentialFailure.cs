using System.Net;
using Azure;
using Microsoft.Identity.Client;

namespace Nhi.TokenExchange;

/// <summary>What the failure of a credential of an Azure SDK says: Azure.Identity wraps MSAL's exceptions, and those wrap the transport's.</summary>
/// <param name="IsTransient">Whether it is worth another try.</param>
/// <param name="Status">The HTTP status that was answered; null if none is known.</param>
internal readonly record struct CredentialFailure(bool IsTransient, int? Status)
{
    private const int MaxDepth = 8;

    public static CredentialFailure Of(Exception exception) => Of(exception, 0);

    private static CredentialFailure Of(Exception exception, int depth)
    {
        CredentialFailure own = Own(exception);
        if (own.IsTransient || depth == MaxDepth || IsUnavailable(exception.GetType()))
            return own;
        IEnumerable<Exception> inner = exception is AggregateException several ? several.InnerExceptions : exception.InnerException is { } one ? [one] : [];
        foreach (CredentialFailure within in inner.Select(cause => Of(cause, depth + 1)))
        {
            if (within.IsTransient)
                return within;
            own = own with { Status = own.Status ?? within.Status };
        }
        return own;
    }

    private static CredentialFailure Own(Exception exception) => exception switch
    {
        OperationCanceledException or TimeoutException => new(true, null),
        RequestFailedException answered => OfStatus(answered.Status),
        MsalServiceException { StatusCode: > 0 } answered => OfStatus(answered.StatusCode),
        MsalException { IsRetryable: true } => new(true, null),
        HttpRequestException { StatusCode: { } status } => OfStatus((int)status),
        HttpRequestException => new(true, null),
        _ => default,
    };

    // 0: the request came to no answer.
    private static CredentialFailure OfStatus(int status) =>
        new(status is 0 or (int)HttpStatusCode.RequestTimeout or (int)HttpStatusCode.TooManyRequests or >= 500, status > 0 ? status : null);

    // It is not set up here, whatever it met on the way to find that out. By name: this package does not reference Azure.Identity.
    private static bool IsUnavailable(Type? type) => type is not null && (type.Name == "CredentialUnavailableException" || IsUnavailable(type.BaseType));
}
