using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;

namespace Nhi.TokenExchange.Tests;

/// <summary>By what a collector tells an event that came twice from another one.</summary>
[Platform("Linux")]
[UnsupportedOSPlatform("windows")]
internal sealed class SpoolKeysTests : AuditFolderFixture
{
    [Test]
    public async Task A_number_names_one_event_alone_also_where_somebody_adds_to_a_file_while_it_is_written()
    {
        var spool = new AuditSpool(new AuditCollectorPlan(new Uri("http://127.0.0.1/"), Folder, true, null, AuditCollectorFormat.JsonLines, 64 << 20, Disk), Time);
        AuditFileSink sink = AuditFileSink.Start(new AuditFolderPlan(Folder, true, 64 << 20, int.MaxValue, Disk), Job, Time, Log, spool);
        Task shut = Disk.Shut();
        Task first = WriteAsync(sink, "first").AsTask();
        await shut;
        ValueTask[] lost = [.. Enumerable.Range(0, 4).Select(i => WriteAsync(sink, string.Create(CultureInfo.InvariantCulture, $"lost-{i}")))];   // one write, behind that
        string file = Files().Single();
        int flushes = 0;
        Disk.InFlush = () =>
        {
            if (++flushes < 2)
                return;
            Disk.InFlush = null;
            using var stranger = Process.Start("sh", ["-c", $"echo stranger >> '{file}'"]);
            stranger.WaitForExit();
        };
        Disk.Gate.Set();
        await first;
        foreach (ValueTask one in lost)
            Assert.That((await RefusedAsync(one)).Message, Does.Contain("added to it"));
        for (int i = 0; i < 4; i++)
            await WriteAsync(sink, string.Create(CultureInfo.InvariantCulture, $"kept-{i}"));
        await sink.EndAsync();

        (string Uid, string Event)[] sent = [.. Files().SelectMany(Events)];
        Assert.That(sent.Count(one => one.Event.Contains("lost-", StringComparison.Ordinal)), Is.EqualTo(4), "they are in the file, and are sent with it");
        Assert.That(sent.Count(one => one.Event.Contains("kept-", StringComparison.Ordinal)), Is.EqualTo(4));
        Assert.That(sent.Select(one => one.Uid), Is.Unique);
        while (spool.TryTake(out AuditPart? part))
            part!.Dispose();
    }

    // As the shipper reads them.
    private static List<(string Uid, string Event)> Events(string file)
    {
        var events = new List<(string, string)>();
        using var reader = AuditFileReader.Open(file);
        Guid chain = AuditFileHeader.Read(file, reader).Chain;
        while (reader.TryRead(out ReadOnlyMemory<byte> line))
        {
            if (CollectorBatch.TryRead(line.Span, out long sequence, out Range json) && !json.Equals(default))
                events.Add((string.Create(CultureInfo.InvariantCulture, $"{chain}:{sequence}"), System.Text.Encoding.UTF8.GetString(line.Span[json])));
        }
        return events;
    }
}
