using Azure.Core;

namespace Nhi.TokenExchange;

/// <summary>Gives Azure SDK clients the credential of a target.</summary>
public static class ClientOptionsExtensions
{
    /// <summary>
    /// Sets the credential of a target on every request of the clients that are made with these options. For clients that can be made
    /// without a credential, such as <c>new BlobServiceClient(address, options)</c>; where one is demanded, use
    /// <see cref="CredentialProviderExtensions.AsTokenCredential"/>.
    /// </summary>
    /// <remarks>
    /// <para>The provider is asked on every try, so nothing is kept: a policy change, a rejection and the end of the job reach the very
    /// next request. The header goes to the allowed origins alone; a request elsewhere, or one that has an <c>Authorization</c> header
    /// already, is refused and not sent. The header is taken off again when the answer is there.</para>
    /// <para>On a 401 the credential is rejected at the provider, and the request is sent once more with another one. The content is
    /// written again, as in each retry of Azure.Core: <see cref="RequestContent"/> has to allow that, which is why
    /// <see cref="RequestContent.Create(Stream)"/> refuses a stream that can't seek. A content of your own that can be written only once
    /// does not stand the client's own retries either. A 403 is a denial: nothing is rejected or repeated.</para>
    /// <para>A 401 with an <c>insufficient_claims</c> challenge rejects nothing: the provider is asked for a credential with these claims,
    /// which the following requests get at once, until the refused one is replaced. If the target takes no claims, the caller gets the 401.</para>
    /// <para>Redirects: Azure.Core follows none unless it is told to, and then each hop is checked like any other request. A transport
    /// of your own should not follow redirects below this policy.</para>
    /// <para>With Microsoft.Extensions.Azure: <c>AddClient((BlobClientOptions options) => new BlobServiceClient(address, options))</c> and
    /// <c>ConfigureOptions((options, services) => options.AddCredential(…))</c>. Its <c>AddBlobServiceClient(address)</c> brings a
    /// <c>DefaultAzureCredential</c> of its own; give that form <c>WithCredential(services => provider.AsTokenCredential())</c>.</para>
    /// </remarks>
    /// <typeparam name="TOptions">The options of the client.</typeparam>
    /// <param name="options">The options; clients that share them share the policy. Call this once for each: a second credential finds the header set.</param>
    /// <param name="provider">Gives the credential; asked on every try. Without a ready one a synchronous call blocks its own caller, holding no lock, until there is one.</param>
    /// <param name="allowedOrigins">Where the credential may go: https origins such as <c>https://lake.blob.core.windows.net</c>, without a path; http for loopback only. None: the provider's <see cref="CredentialProvider{TCredential}.AllowedOrigins"/>.</param>
    /// <returns>The same options.</returns>
    /// <exception cref="ArgumentException">There is no origin, neither here nor at the provider, or one is none.</exception>
    public static TOptions AddCredential<TOptions>(this TOptions options, CredentialProvider<BearerToken> provider, params IEnumerable<Uri> allowedOrigins)
        where TOptions : ClientOptions
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(provider);
        ArgumentNullException.ThrowIfNull(allowedOrigins);
        Uri[] given = [.. allowedOrigins];
        options.AddPolicy(new CredentialPolicy(provider, given.Length > 0 ? given : provider.AllowedOrigins), HttpPipelinePosition.PerRetry);
        return options;
    }
}
