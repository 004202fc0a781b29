using System.Globalization;
using System.Net;
using System.Text;

namespace Nhi.TokenExchange;

/// <summary>AWS STS in memory, below the SDK's own HTTP stack: answers AssumeRoleWithWebIdentity.</summary>
public sealed class InMemorySts(IssuerGate gate) : HttpMessageHandler
{
    /// <summary>The life of what it issues.</summary>
    public TimeSpan ExpiresIn { get; set; } = TimeSpan.FromHours(1);

    /// <returns>The XML of an answer.</returns>
    public static string AnswerUntil(string end) => $"""
        <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
        <AccessKeyId>0123456789</AccessKeyId><SecretAccessKey>0123456789</SecretAccessKey><SessionToken>0123456789</SessionToken><Expiration>{end}</Expiration>
        </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
        """;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        string end = (TimeProvider.System.GetUtcNow() + ExpiresIn).ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        await gate.PassAsync();
        return new HttpResponseMessage(HttpStatusCode.OK) { RequestMessage = request, Content = new StringContent(AnswerUntil(end), Encoding.UTF8, "text/xml") };
    }
}
