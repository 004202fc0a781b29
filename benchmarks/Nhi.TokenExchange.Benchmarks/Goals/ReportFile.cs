using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Nhi.TokenExchange;

/// <summary>Reads and writes reports as JSON, in <c>benchmarks/results</c>.</summary>
public static class ReportFile
{
    // A report that lacks a number must not be read as if the number were 0.
    private static readonly JsonSerializerOptions Json = new()
    {
        WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Converters = { new JsonStringEnumConverter() }, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true,
    };

    /// <param name="name">The file's name.</param>
    /// <param name="remedy">What makes a new one.</param>
    /// <exception cref="RefusedReportException">There is none, or it is of an older form.</exception>
    public static async Task<TReport> ReadAsync<TReport>(string name, string remedy)
        where TReport : class
    {
        try
        {
            return JsonSerializer.Deserialize<TReport>(await File.ReadAllTextAsync(Path.Combine(Checkout.Results, name)), Json) ?? throw new JsonException("It is empty.");
        }
        catch (Exception exception) when (exception is JsonException or FileNotFoundException)
        {
            throw new RefusedReportException($"benchmarks/results/{name} is not there, or not as this program writes it ({exception.Message}). Measure anew: {remedy}.", exception);
        }
    }

    /// <summary>Writes a report in both forms, and shows it.</summary>
    /// <param name="name">The files' name, without an ending.</param>
    /// <param name="text">The report as Markdown.</param>
    /// <param name="report">The same to be read again.</param>
    public static async Task PublishAsync<TReport>(string name, string text, TReport report)
    {
        await WriteTextAsync($"{name}.md", text);
        await WriteAsync($"{name}.json", report);
        Console.WriteLine(text);
    }

    public static Task WriteAsync<TReport>(string name, TReport report) => WriteTextAsync(name, JsonSerializer.Serialize(report, Json) + "\n");

    public static async Task WriteTextAsync(string name, string text)
    {
        Directory.CreateDirectory(Checkout.Results);
        await File.WriteAllTextAsync(Path.Combine(Checkout.Results, name), text);
    }
}
