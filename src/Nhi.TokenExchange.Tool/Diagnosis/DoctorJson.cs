using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Writes what doctor found for programs.</summary>
internal static class DoctorJson
{
    private static readonly JsonWriterOptions Form = new() { Indented = true };

    public static string Of(DoctorReport report)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, Form))
        {
            json.WriteStartObject();
            json.WriteBoolean("ok", report.FirstFailure is null);
            json.WriteNumber("exitCode", report.ExitCode);
            Write(json, "job", report.Job);
            json.WriteStartArray("targets");
            foreach (TargetReport target in report.Targets)
            {
                json.WriteStartObject();
                json.WriteString("target", target.Target);
                Write(json, "stages", target.Stages);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return System.Text.Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<StageResult> stages)
    {
        json.WriteStartArray(name);
        foreach (StageResult stage in stages)
        {
            json.WriteStartObject();
            json.WriteString("stage", DoctorText.WordOf(stage.Stage));
            json.WriteString("verdict", stage.Verdict.ToString().ToLowerInvariant());
            if (stage.Took is { } took)
                json.WriteNumber("milliseconds", Math.Round(took.TotalMilliseconds, 1));
            if (stage.Code is not null)
                json.WriteString("code", stage.Code);
            json.WriteString("said", stage.Said);
            if (stage.Remedy is not null)
                json.WriteString("remedy", stage.Remedy);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
