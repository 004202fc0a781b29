// A process for tests that kill it. "hold": a job that gets its fifty leases at once, says each, and waits. "end": one that ends then. "recover": what the next start does about a job that was killed.
using Nhi.TokenExchange;
using Nhi.TokenExchange.Tests;

FiftyLeases leases = FiftyLeases.Of(args);
string act = args[^1];
if (act == "recover")
{
    await JobSession.RecoverAsync(b => leases.Compose(b));
    return;
}
await using JobSession job = await JobSession.StartAsync(b => leases.Compose(b).Job(new JobContext { Pipeline = "orders-nightly", Run = "4711" }));
await leases.GetAllAsync(job, () => Console.WriteLine("got"));
if (act == "hold")
    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
