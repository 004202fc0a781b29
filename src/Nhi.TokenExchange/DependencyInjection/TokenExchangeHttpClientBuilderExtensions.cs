using Microsoft.Extensions.Http;
using Nhi.TokenExchange;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Gives clients of an <see cref="System.Net.Http.IHttpClientFactory"/> the credential of a target.</summary>
public static class TokenExchangeHttpClientBuilderExtensions
{
    /// <summary>Sets the credential of a target on the requests of this client, to that target's origins and nowhere else; see <see cref="CredentialHandler"/>.</summary>
    /// <param name="builder">The client, from <c>services.AddHttpClient&lt;Warehouse&gt;()</c>.</param>
    /// <param name="target">The name of a target that gives a <see cref="BearerToken"/>, or has a static key with a header.</param>
    /// <returns>The client.</returns>
    /// <remarks>
    /// Stands directly above the primary handler, whatever the order of calls: below handlers that retry, and below those that log, so that none of
    /// them sees the credential. The primary handler follows no redirect and keeps no cookie, unless the client names its own. The credential is
    /// that of the container's session; a request of another job says so by <see cref="CredentialHandler.Job"/>. A name that is not
    /// there fails when the host starts. A static key goes onto a copy of the request, which the primary handler alone sees; one that follows redirects is refused.
    /// </remarks>
    /// <exception cref="ArgumentException"><paramref name="target"/> is empty, or the builder stands for all clients (<c>ConfigureHttpClientDefaults</c>).</exception>
    public static IHttpClientBuilder AddCredential(this IHttpClientBuilder builder, string target)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(target);
        if (builder.Name is null)
            throw new ArgumentException("A credential belongs to one client, not to all that there are. Call AddCredential on services.AddHttpClient(\"…\").", nameof(builder));
        builder.Services.AddSingleton(new ClientCredential(builder.Name, target));
        JobHosting.AddTo(builder.Services);
        // After all Configure: so the first and the last word, whoever was called before or comes later.
        builder.Services.PostConfigure<HttpClientFactoryOptions>(builder.Name, options =>
        {
            options.HttpMessageHandlerBuilderActions.Insert(0, handlers => handlers.PrimaryHandler = CredentialHandler.NewSockets());
            options.HttpMessageHandlerBuilderActions.Add(handlers => handlers.PrimaryHandler = JobHosting.SessionOf(handlers.Services).CreateHandlerOfAnyKind(target, handlers.PrimaryHandler, $"HttpClient '{ExceptionText.Clean(builder.Name)}' (AddCredential)"));
        });
        return builder;
    }
}
