using Nhi.TokenExchange.Tests.Fuzzing;
using SharpFuzz;

// fuzz TARGET          run by afl-fuzz (see ./fuzz): inputs come over its pipes
// fuzz TARGET FILE …   runs inputs once each and shows what came out
FuzzTarget? target = FuzzTarget.All.FirstOrDefault(target => args.Length > 0 && target.Name == args[0]);
if (target is null)
{
    await Console.Error.WriteLineAsync($"Name a target: {string.Join(", ", FuzzTarget.All)}.");
    return 2;
}
if (args.Length == 1)
{
    Fuzzer.Run(stream =>
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        target.RunAsync(input.ToArray()).GetAwaiter().GetResult();
    });
    return 0;
}
int failed = 0;
foreach (string file in args.Skip(1))
{
    try
    {
        await target.RunAsync(await File.ReadAllBytesAsync(file));
        Console.WriteLine($"{file}: as promised");
    }
    catch (Exception wrong)   // shown, whatever it is
    {
        failed++;
        Console.WriteLine($"{file}: {wrong}");
    }
}
return failed == 0 ? 0 : 1;
