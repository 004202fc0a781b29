using System.Diagnostics;
using Nhi.TokenExchange;

namespace BrokerSample;

/// <summary>The code of docs/broker.md, compiled.</summary>
internal static class ReadMe
{
    public static async Task SocketAsync(JobSession job)
    {
        #region socket
        await using TokenBroker broker = await TokenBroker.StartAsync(job, o => o.TokenExchange("warehouse", "https://warehouse.example"));
        #endregion
    }

    public static async Task LoopbackAsync(JobSession job)
    {
        #region loopback
        await using TokenBroker broker = await TokenBroker.StartAsync(job, o => o
            .ListenOnLoopback()
            .TokenExchange("warehouse", "https://warehouse.example")
            .AzureManagedIdentity("lake", "https://storage.azure.com")
            .AwsContainerCredentials("archive")
            .GoogleMetadata("bucket", email: "loader@my-project.iam.gserviceaccount.com", projectId: "my-project"));
        #endregion

        #region child
        var start = new ProcessStartInfo("aws", ["s3", "ls"]);
        await using BrokerClient client = broker.Admit("aws");
        client.ApplyTo(start.Environment);
        using Process program = Process.Start(start)!;
        client.BindTo(program.Id);   // killed or not: what it got ends with it
        await program.WaitForExitAsync();
        #endregion
    }

    public static async Task DrainAsync()
    {
        #region drain
        await using JobSession job = await JobSession.StartAsync(b => b
            .Identity("job", IdentitySources.OidcFile("/var/run/secrets/job/token"))
            .Target("warehouse", Targets.Databricks(new Uri("https://workspace.example")), identity: "job", "sql")
            .EndOnSignals(false));   // the broker ends it, when its last request is answered
        await using TokenBroker broker = await TokenBroker.StartAsync(job, o => o.TokenExchange("warehouse"));
        #endregion
    }
}
