namespace Nhi.TokenExchange.Tool.Tests;

[NonParallelizable]
public class EmulatorTests
{
    [Test]
    public async Task The_job_that_the_emulator_writes_is_well_and_Ctrl_C_ends_it_in_order()
    {
        string folder = Directory.CreateTempSubdirectory("nhi-emulator-").FullName;
        using RunningTool emulator = await RunningTool.StartAsync("Ctrl-C ends it.", "emulator", "--folder", folder);

        ToolRun doctor = await ToolRun.ProgramAsync(new Dictionary<string, string>(), "doctor", "--config", Path.Combine(folder, "appsettings.json"));

        Assert.That(doctor.ExitCode, Is.Zero, doctor.All);
        Assert.That(doctor.Output, Does.Contain("target warehouse").And.Contain("target databricks").And.Contain("target vault").And.Contain("Nothing is wrong."));
        Assert.That(doctor.Output, Does.Not.Contain("\u001b["), "no colours to a program");
        Assert.That(await emulator.TerminateAsync(), Is.Zero);
        Directory.Delete(folder, recursive: true);
    }
}
