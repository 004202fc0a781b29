// Soak and chaos: virtual jobs in a process of their own, an emulator that fails by plan in this one, and a checker that joins what both wrote down.
using Nhi.TokenExchange.Soak;

if (args is ["--help" or "-h" or "-?"])
{
    Console.WriteLine(SoakOptions.Usage);
    return 0;
}

SoakOptions options;
try
{
    options = SoakOptions.Parse(args);
    if (options.Keep is { } folder)
        Directory.CreateDirectory(folder);
    if (options.Report is { } wanted)   // else a run of minutes would end without one
    {
        Directory.CreateDirectory(Path.GetDirectoryName(wanted)!);
        await using FileStream place = File.Open(wanted, FileMode.OpenOrCreate, FileAccess.Write);   // the last one stays until there is another
    }
}
catch (Exception wrong) when (wrong is FormatException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine(wrong.Message);
    Console.Error.WriteLine(SoakOptions.Usage);
    return 2;
}

if (options.Child is { } orders)
    return await ChildRun.RunAsync(orders);

SoakReport report;
try
{
    report = await SoakRun.RunAsync(options);
}
catch (SoakFailedException failed)
{
    Console.Error.WriteLine($"The run itself failed, seed {options.Seed}: {failed.Message}");
    return 3;
}

Console.WriteLine(report.ToMarkdown());
if (options.Report is { } file)
    report.WriteTo(file);
return report.IsGood ? 0 : 1;
