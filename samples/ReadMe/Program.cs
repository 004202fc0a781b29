// The regions of this folder are the C# blocks of the README: a test compares the two texts.
// Running it composes a job and ends it; nothing is sent before a credential is asked for.
#region three-lines
using Nhi.TokenExchange;

await using JobSession job = await JobSession.StartAsync(b => b
    .Identity("job", IdentitySources.OidcFile("/var/run/secrets/job/token"))
    .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example"), clientId: "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10"), identity: "job", "sql"));
using var http = new HttpClient(job.CreateHandler("warehouse"));   // sends the credential to the workspace, and nowhere else
#endregion

Console.WriteLine($"{job.Provider<BearerToken>("warehouse").Target}: composed, nothing sent");
