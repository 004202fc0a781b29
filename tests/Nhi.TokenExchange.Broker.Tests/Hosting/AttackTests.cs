using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Nhi.TokenExchange.Tests;

/// <summary>What no program of the job would send, byte by byte.</summary>
internal sealed partial class AttackTests
{
    private static readonly (string Name, string Request, int[] Status)[] Requests =
    [
        ("right", "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com HTTP/1.1\r\nHost: {host}\r\nMetadata: true\r\n\r\n", [200]),
        ("no Metadata header", "GET /metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fstorage.azure.com HTTP/1.1\r\nHost: {host}\r\n\r\n", [400]),
        ("another host", "GET /metadata/identity/oauth2/token HTTP/1.1\r\nHost: attacker.example\r\nMetadata: true\r\n\r\n", [421]),
        ("another host at this port", "GET / HTTP/1.1\r\nHost: attacker.example:{port}\r\nMetadata-Flavor: Google\r\n\r\n", [421]),
        ("another port", "GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\nMetadata-Flavor: Google\r\n\r\n", [421]),
        ("no host", "GET / HTTP/1.1\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("two hosts", "GET / HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400, 421]),
        ("a whole address as target", "GET http://{host}/computeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [421]),
        ("a whole address of another", "GET http://attacker.example/computeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400, 421]),
        ("Origin", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nOrigin: https://attacker.example\r\n\r\n", [403]),
        ("Origin null", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nOrigin: null\r\n\r\n", [403]),
        ("a preflight", "OPTIONS /oauth2/token HTTP/1.1\r\nHost: {host}\r\nOrigin: https://attacker.example\r\nAccess-Control-Request-Method: POST\r\n\r\n", [403]),
        ("Referer", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nReferer: https://attacker.example/\r\n\r\n", [403]),
        ("Sec-Fetch-Site", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nSec-Fetch-Site: cross-site\r\n\r\n", [403]),
        ("X-Forwarded-For", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nX-Forwarded-For: 10.0.0.1\r\n\r\n", [403]),
        ("Forwarded", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\nForwarded: for=10.0.0.1\r\n\r\n", [403]),
        ("no Metadata-Flavor", "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\nHost: {host}\r\n\r\n", [403]),
        ("another Metadata-Flavor", "GET /computeMetadata/v1/instance/service-accounts/default/token HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: google\r\n\r\n", [403]),
        ("an identity token", "GET /computeMetadata/v1/instance/service-accounts/default/identity?audience=x HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [404]),
        ("dots", "GET /aws/../computeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("dots behind the well-known", "GET /.well-known/../computeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("percent", "GET /%63omputeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("two slashes", "GET //computeMetadata/v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("a backslash", "GET /computeMetadata\\v1/ HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("a semicolon", "GET /computeMetadata/v1/;x HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor: Google\r\n\r\n", [400]),
        ("no AWS token", "GET /aws/archive HTTP/1.1\r\nHost: {host}\r\n\r\n", [401]),
        ("another AWS token", "GET /aws/archive HTTP/1.1\r\nHost: {host}\r\nAuthorization: x\r\n\r\n", [401]),
        ("an AWS token twice", "GET /aws/archive HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nAuthorization: {token}\r\n\r\n", [400]),
        ("another AWS role", "GET /aws/payments HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n", [400]),
        ("an AWS token as a bearer", "GET /aws/archive HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n", [401]),
        ("no App Service token", "GET /azure/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com HTTP/1.1\r\nHost: {host}\r\n\r\n", [401]),
        ("another App Service token", "GET /azure/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com HTTP/1.1\r\nHost: {host}\r\nX-IDENTITY-HEADER: x\r\n\r\n", [401]),
        ("a resource twice", "GET /azure/token?api-version=2019-08-01&resource=https%3A%2F%2Fstorage.azure.com&resource=x HTTP/1.1\r\nHost: {host}\r\nX-IDENTITY-HEADER: {token}\r\n\r\n", [400]),
        ("another resource", "GET /azure/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net HTTP/1.1\r\nHost: {host}\r\nX-IDENTITY-HEADER: {token}\r\n\r\n", [400]),
        ("another api-version", "GET /azure/token?api-version=2017-09-01&resource=https%3A%2F%2Fstorage.azure.com HTTP/1.1\r\nHost: {host}\r\nX-IDENTITY-HEADER: {token}\r\n\r\n", [400]),
        ("another method", "PUT /azure/token HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n", [405]),
        ("nowhere", "GET /latest/meta-data/iam/ HTTP/1.1\r\nHost: {host}\r\n\r\n", [404]),
        ("two lengths", "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [400]),
        ("a folded header", "GET / HTTP/1.1\r\nHost: {host}\r\nMetadata-Flavor:\r\n Google\r\n\r\n", [400]),
        ("an old version", "GET /\r\n\r\n", [400]),
        ("large headers", "GET / HTTP/1.1\r\nHost: {host}\r\nX: {large}\r\n\r\n", [431]),
        ("a NUL", "GET /\0 HTTP/1.1\r\nHost: {host}\r\n\r\n", [400]),
        ("another version", "GET / HTTP/3.0\r\nHost: {host}\r\n\r\n", [505]),
    ];

    private static IEnumerable<TestCaseData> Cases() => Requests.Select(request => new TestCaseData(request.Request, request.Status).SetArgDisplayNames(request.Name));

    [TestCaseSource(nameof(Cases))]
    public async Task Each_request_gets_what_it_deserves(string request, int[] status)
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        string token = TokenOf.Client(job.Broker.Environment);

        string answer = await SendAsync(job.Broker.Address, request
            .Replace("{host}", job.Broker.Address.Authority, StringComparison.Ordinal).Replace("{port}", $"{job.Broker.Address.Port}", StringComparison.Ordinal)
            .Replace("{token}", token, StringComparison.Ordinal).Replace("{large}", new string('x', 20_000), StringComparison.Ordinal));

        Assert.That(status.Select(one => $"HTTP/1.1 {one} "), Has.Some.Matches<string>(start => answer.StartsWith(start, StringComparison.Ordinal)), answer);
        Assert.That(answer, Does.Not.Contain(token).And.Not.Contain("Access-Control-").And.Not.Contain("Location:"));
        Assert.That(job.Issued, Has.Count.EqualTo(status[0] == 200 ? 1 : 0));
    }

    [Test]
    public async Task A_thousand_connections_that_send_drop_by_drop_keep_nobody_from_his_token()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        var slow = new List<TcpClient>();
        try
        {
            for (int i = 0; i < 1000; i++)
            {
                var one = new TcpClient();
                slow.Add(one);
                await one.ConnectAsync("127.0.0.1", job.Broker.Address.Port);
                await one.GetStream().WriteAsync("POST /oauth2/token HTTP/1.1\r\nHost: "u8.ToArray());
            }
            using HttpClient http = job.NewClient();

            string token = await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(job.Broker.Environment)));

            Assert.That(job.IsAlive(token), Is.True);
            byte[] buffer = new byte[1024];
            int read = await slow[0].GetStream().ReadAsync(buffer);
            Assert.That(Encoding.ASCII.GetString(buffer, 0, read), Does.StartWith("HTTP/1.1 408 "), "its time is up");
        }
        finally
        {
            slow.ForEach(one => one.Dispose());
        }
    }

    [Test]
    public async Task A_client_that_asks_too_often_is_told_to_wait_and_the_others_are_served()
    {
        await using BrokerJob job = await BrokerJob.StartAsync(options: o => o.RequestsPerSecond = 1);
        await using BrokerClient greedy = job.Broker.Admit("greedy");
        await using BrokerClient modest = job.Broker.Admit("modest");
        using HttpClient http = job.NewClient();
        var seen = new List<int>();
        for (int i = 0; i < 50; i++)
        {
            using HttpResponseMessage response = await http.PostAsync("oauth2/token", new FormUrlEncodedContent(OAuthCalls.Exchange(TokenOf.Client(greedy))));
            seen.Add((int)response.StatusCode);
            if (seen[^1] == 429)
                Assert.That(response.Headers.RetryAfter!.Delta, Is.EqualTo(TimeSpan.FromSeconds(1)));
        }

        Assert.That(seen.Distinct().Order(), Is.EqualTo(new[] { 200, 429 }));
        Assert.That(job.IsAlive(await http.TokenAsync(OAuthCalls.Exchange(TokenOf.Client(modest)))), Is.True);
    }

    [Test]
    public async Task No_token_reaches_log_or_audit()
    {
        await using BrokerJob job = await BrokerJob.StartAsync();
        string own = TokenOf.Client(job.Broker.Environment);
        using HttpClient http = job.NewClient();
        string token = await http.TokenAsync(OAuthCalls.Exchange(own));
        await http.PostAsync("oauth2/token", new Dictionary<string, string> { ["grant_type"] = own, ["resource"] = token });
        await http.PostAsync("oauth2/revoke", [new("token", token)], own);
        string said = string.Join('\n', job.Log.GetSnapshot().Select(record => $"{record.Message} {record.Exception} {string.Join(' ', record.StructuredState ?? [])}")) + job.Audit.Text;

        Assert.That(said, Does.Contain("warehouse"));
        Assert.That(Canary.FindIn(said, own), Is.Empty);
        Assert.That(Canary.FindIn(said, token), Is.Empty);
    }

    /// <summary>Sends bytes as they are, and gives the answer that comes; all of it if the connection is closed, else as much as its Content-Length says.</summary>
    private static async Task<string> SendAsync(Uri address, string request)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync("127.0.0.1", address.Port);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        string answer = "";
        byte[] buffer = new byte[4096];
        try
        {
            while (await socket.ReceiveAsync(buffer) is > 0 and var read)
            {
                answer += Encoding.Latin1.GetString(buffer, 0, read);
                if (IsWhole(answer))
                    break;
            }
        }
        catch (SocketException)
        {
            answer += " (reset)";
        }
        return answer;
    }

    [GeneratedRegex(@"Content-Length: (?<length>[0-9]+)\r\n(?s:.*?)\r\n\r\n")]
    private static partial Regex Headers();

    private static bool IsWhole(string answer) => Headers().Match(answer) is { Success: true } headers && answer.Length >= headers.Index + headers.Length + int.Parse(headers.Groups["length"].Value, CultureInfo.InvariantCulture);
}
