// A job for tests that kill it: gets its fifty leases at once, says each, and waits.
using Nhi.TokenExchange;
using Nhi.TokenExchange.Tests;

FiftyLeases leases = FiftyLeases.Of(args);
await using JobSession job = await JobSession.StartAsync(b => leases.Compose(b).Job(new JobContext { Pipeline = "orders-nightly", Run = "4711" }));
Console.WriteLine("started");
await leases.GetAllAsync(job, () => Console.WriteLine("got"));
await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System);
