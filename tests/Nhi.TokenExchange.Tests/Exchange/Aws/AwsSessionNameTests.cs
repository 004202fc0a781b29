namespace Nhi.TokenExchange.Tests.Exchange.Aws;

internal sealed class AwsSessionNameTests
{
    [TestCase("orders-nightly", "9000000001", null, "orders-nightly-9000000001")]
    [TestCase("orders-nightly", "17", "load", "orders-nightly-17-load")]
    [TestCase("Bestellungen/nächtlich", "17", null, "Bestellungen-n-chtlich-17")]
    [TestCase(null, "17", null, "17")]
    [TestCase(null, "7", null, "nhi-job")]
    [TestCase(null, null, null, "nhi-job")]
    [TestCase("x", null, null, "nhi-job")]
    public void The_name_of_a_session_is_made_of_the_job(string? pipeline, string? run, string? task, string name) =>
        Assert.That(AwsSessionName.Of(new JobContext { Pipeline = pipeline, Run = run, Task = task }), Is.EqualTo(name));

    [Test]
    public void What_is_too_long_loses_the_end_of_the_pipeline_and_keeps_the_run()
    {
        const string Run = "5a5a0000-0000-4000-8000-100000000001";
        Assert.That(AwsSessionName.Of(new JobContext { Pipeline = new string('p', 80), Run = Run }), Is.EqualTo($"{new string('p', 27)}-{Run}"));
        Assert.That(AwsSessionName.Of(new JobContext { Pipeline = "orders", Run = new string('r', 80) }), Is.EqualTo(new string('r', 64)));
        Assert.That(AwsSessionName.Of(new JobContext { Pipeline = new string('p', 80) }), Is.EqualTo(new string('p', 64)));
    }

    [Test]
    public void Each_name_that_is_made_is_one_that_STS_takes()
    {
        string[] odd = ["", "a", "é", "\ud83d\ude00", "a b", new string('/', 100), "ok"];
        foreach (string pipeline in odd)
        {
            foreach (string run in odd)
                Assert.That(AwsSessionName.FaultOf(AwsSessionName.Of(new JobContext { Pipeline = pipeline, Run = run })), Is.Null, $"{pipeline}, {run}");
        }
    }
}
