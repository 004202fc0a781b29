namespace Nhi.TokenExchange.Tests;

/// <summary>The one server of all tests that don't stop it.</summary>
[SetUpFixture]
internal sealed class SharedServer
{
    private static PostgresServer? s_server;

    public static PostgresServer Server => s_server ?? throw new InvalidOperationException("It has not started.");

    [OneTimeSetUp]
    public static async Task StartAsync() => s_server = await PostgresServer.StartAsync();

    [OneTimeTearDown]
    public static async Task StopAsync()
    {
        if (s_server is not null)
            await s_server.DisposeAsync();
    }
}
