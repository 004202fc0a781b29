using System.Globalization;
using Azure.Storage.Blobs;
using BlobWorker;
using Nhi.TokenExchange;

// A worker that writes a blob every so often, with the managed identity of the machine that it runs on. No secret anywhere.
//   dotnet run --project samples/BlobWorker                                                offline: three blobs, on the emulator
//   dotnet run --project samples/BlobWorker -- https://ACCOUNT.blob.core.windows.net/NAME  in Azure, until Ctrl-C
await using Place place = args.Length > 0 ? Place.InAzure(new Uri(args[0])) : await Place.EmulatedAsync();

#region lake
await using JobSession job = await JobSession.StartAsync(b => b
    .Job(new JobContext { Pipeline = "orders-nightly", Dataset = "orders", Purpose = "export" })
    .Identity("machine", IdentitySources.ManagedIdentity())
    .Target("lake", Targets.ManagedIdentity(place.Resource), target =>
    {
        target.Identity = "machine";
        target.AllowedOrigins.Add(new Uri(place.Container, "/"));
    }));
CredentialProvider<BearerToken> lake = job.Provider<BearerToken>("lake");
var container = new BlobContainerClient(place.Container, place.Options.AddCredential(lake));   // asks for each request, rejects on 401
#endregion

using var timer = new PeriodicTimer(place.Pause);
try
{
    for (int number = 1; number <= place.Count && await timer.WaitForNextTickAsync(job.Ended); number++)
    {
        string name = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.UtcNow:yyyy/MM/dd/HHmmss}-{number}.csv");
        await container.UploadBlobAsync(name, BinaryData.FromString($"order;{number}\n"), job.Ended);
        BinaryData back = (await container.GetBlobClient(name).DownloadContentAsync(job.Ended)).Value.Content;
        Console.WriteLine($"wrote {name}, read back {back.ToMemory().Length} bytes");
    }
}
catch (OperationCanceledException) when (job.Ended.IsCancellationRequested)
{
    // Ctrl-C or SIGTERM: the job has ended.
}

JobReport report = await job.CompleteAsync();
Console.WriteLine(report);
return report.AllEnded ? 0 : 1;
