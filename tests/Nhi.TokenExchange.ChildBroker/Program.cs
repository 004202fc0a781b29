using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Nhi.TokenExchange;

// A program of its own on one side of a broker.
//   ask SOCKET        gets a credential as the process that it is, says what came, and waits to be killed
//   serve SOCKETFOLDER ISSUER PROOF JOURNAL   runs a job and a broker until a signal ends it
switch (args)
{
    case ["ask", var socket]:
        Console.WriteLine(await AskAsync(socket));
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        break;
    case ["serve", var folder, var issuer, var proof, var journal]:
        await using (JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcFile(proof), ActsFor.Workload)
            .Target("warehouse", Targets.Rfc8693(new Uri(issuer), o => o.Client.Id = "orders"), "job", "dataset:orders")
            .Journal(journal).EndOnSignals(false)))
        {
            await using TokenBroker broker = await TokenBroker.StartAsync(job, o =>
            {
                o.Folder = folder;
                o.TokenExchange("warehouse");
            });
            Console.WriteLine(broker.SocketPath);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
        }
        break;
    default:
        return 2;
}
return 0;

static async Task<string> AskAsync(string path)
{
    using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    try
    {
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
    }
    catch (SocketException refused)
    {
        return $"refused {refused.SocketErrorCode}";
    }
    const string Form = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token=self&subject_token_type=urn%3Anhi%3Aparams%3Atoken-type%3Aprocess&audience=warehouse";
    string request = string.Create(CultureInfo.InvariantCulture, $"POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {Form.Length}\r\nConnection: close\r\n\r\n{Form}");
    await socket.SendAsync(Encoding.ASCII.GetBytes(request));
    using var stream = new StreamReader(new NetworkStream(socket));
    string answer = await stream.ReadToEndAsync();
    return answer.ReplaceLineEndings(" ");
}
