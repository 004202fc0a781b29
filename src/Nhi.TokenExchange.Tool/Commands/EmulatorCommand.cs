using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary><c>nhi emulator</c>: issuers on loopback, and the settings of a job that works there.</summary>
internal static class EmulatorCommand
{
    private const string Subject = "system:serviceaccount:jobs:orders-nightly";
    private const string ServicePrincipal = "6f1f1a52-6f7c-4b5a-9a53-0d6b8f1f5f10";

    // Proofs of that shape live an hour; a kubelet renews them at four fifths.
    private static readonly TimeSpan RenewProofsEvery = TimeSpan.FromMinutes(40);

    private static readonly JsonSerializerOptions Form = new() { WriteIndented = true };

    public static Command Make(Screen screen)
    {
        var folder = new Option<DirectoryInfo?>("--folder") { Description = "Where the settings of a job that works there, and its proofs, are written; made if it is missing. Default: a temporary folder, removed at the end." };
        var trusts = new Option<string>("--trusts") { Description = "The subject that the workspace trusts. Default: the job's. Another one shows what doctor says of a trust that does not fit.", DefaultValueFactory = _ => Subject };
        var command = new Command("emulator", """
            Runs issuers on loopback that verify for real, until Ctrl-C: an authorization server, a Databricks-style workspace, Vault, Entra ID, AWS STS, Google Cloud. For tests; never for production.
            Writes an appsettings.json of a job that they trust, with an audit and a journal.

            Example:
              nhi emulator --folder demo &
              nhi doctor --config demo/appsettings.json
            """) { folder, trusts };
        command.SetAction(async (line, cancellationToken) =>
        {
            DirectoryInfo? given = line.GetValue(folder);
            DirectoryInfo place = given ?? Directory.CreateTempSubdirectory("nhi-emulator-");
            place.Create();
            try
            {
                IdentityEmulator emulator = await IdentityEmulator.StartAsync(o => o.ProofAlgorithm = o.EntraAlgorithm = "ES256", cancellationToken).ConfigureAwait(false);
                await using (emulator.ConfigureAwait(false))
                    await ServeAsync(emulator, place, line.GetRequiredValue(trusts), screen, cancellationToken).ConfigureAwait(false);
                return ExitCodes.Ok;
            }
            catch (InvalidOperationException inProduction)
            {
                throw new UsageException(inProduction.Message);
            }
            finally
            {
                if (given is null)
                    place.Delete(recursive: true);
            }
        });
        return command;
    }

    private static async Task ServeAsync(IdentityEmulator emulator, DirectoryInfo place, string trusted, Screen screen, CancellationToken cancellationToken)
    {
        emulator.Authorization.AddClient("orders-nightly", Subject, "dataset:orders", "dataset:customers");
        emulator.Databricks.AddServicePrincipal(ServicePrincipal, trusted, "sql");
        emulator.Vault.AddRole("orders", Subject);
        JobIdentity job = emulator.JobIdentity(ProofShape.Kubernetes, Subject);
        (string Name, string Audience)[] proofs =
        [
            ("authorization", emulator.Authorization.Issuer.OriginalString), ("workspace", emulator.Databricks.TokenEndpoint.OriginalString), ("vault", emulator.Vault.Address.OriginalString.TrimEnd('/')),
        ];
        string settings = Path.Combine(place.FullName, "appsettings.json");
        WriteProofs();
        // Last: who waits for the settings finds the rest.
        await File.WriteAllTextAsync(settings, Settings(emulator, place, proofs.Select(proof => proof.Name)), cancellationToken).ConfigureAwait(false);
        using ITimer renewal = TimeProvider.System.CreateTimer(_ => WriteProofs(), null, RenewProofsEvery, RenewProofsEvery);
        await screen.Output.WriteLineAsync($"""
            settings       {settings}
            proofs by      {emulator.Issuer}
            authorization  {emulator.Authorization.Issuer}
            databricks     {emulator.Databricks.Host}
            vault          {emulator.Vault.Address}
            entra          {emulator.Entra.Authority}
            aws            {emulator.Aws.Endpoint}
            google         {emulator.Google.Endpoint}
            warehouse      {emulator.Warehouse.Address}
            Ctrl-C ends it. In the background of a script: kill, as SIGINT is ignored there.
            """).ConfigureAwait(false);
        await screen.Output.FlushAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C: the end that was announced.
        }

        void WriteProofs()
        {
            foreach ((string name, string audience) in proofs)
                job.WriteProofFile(Path.Combine(place.FullName, name), audience);
        }
    }

    private static string Settings(IdentityEmulator emulator, DirectoryInfo place, IEnumerable<string> identities) => new JsonObject
    {
        ["TokenExchange"] = new JsonObject
        {
            ["Job"] = new JsonObject { ["Pipeline"] = "orders-nightly", ["Dataset"] = "orders", ["Purpose"] = "load" },
            ["Audit"] = new JsonObject { ["Folder"] = Path.Combine(place.FullName, "audit") },
            ["Journal"] = Path.Combine(place.FullName, "journal"),
            ["Identities"] = new JsonObject(identities.Select(name => KeyValuePair.Create<string, JsonNode?>(name, new JsonObject { ["Source"] = "OidcFile", ["Path"] = Path.Combine(place.FullName, name) }))),
            ["Targets"] = new JsonObject
            {
                ["warehouse"] = new JsonObject
                {
                    ["Identity"] = "authorization", ["Exchange"] = "Rfc8693", ["Issuer"] = emulator.Authorization.Issuer.OriginalString, ["ClientId"] = "orders-nightly", ["Scopes"] = new JsonArray("dataset:orders"),
                    ["AllowedOrigins"] = new JsonArray(emulator.Warehouse.Address.OriginalString.TrimEnd('/')),
                },
                ["databricks"] = new JsonObject { ["Identity"] = "workspace", ["Exchange"] = "Databricks", ["Host"] = emulator.Databricks.Host.OriginalString.TrimEnd('/'), ["ClientId"] = ServicePrincipal, ["Scopes"] = new JsonArray("sql") },
                ["vault"] = new JsonObject { ["Identity"] = "vault", ["Exchange"] = "VaultLogin", ["Server"] = emulator.Vault.Address.OriginalString.TrimEnd('/'), ["Role"] = "orders" },
            },
        },
    }.ToJsonString(Form);
}
