using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Nhi.TokenExchange;

/// <summary>Reads what a permit leaves of a target's resources and authorization details.</summary>
internal sealed class NarrowingReading(PolicyErrors errors)
{
    private const int LongestResource = 512;

    // Each is compared with each that the target asks for, at every decision.
    private const int MostDetails = 50;
    private const string DetailsForm = "Write a list of objects, each with a type: [ { \"type\": \"unity_catalog_privileges\", \"object_full_path\": \"main.shop.orders\", \"privileges\": [ \"SELECT\" ] } ] (RFC 9396 §2).";

    /// <summary>A list of names as the target has them; null if it is left out or none, which is noted.</summary>
    public IReadOnlyList<string>? Resources(PolicyObject owner)
    {
        int before = errors.Count;
        IReadOnlyList<PolicyNode>? entries = owner.Texts("resources", "Write a list of the target's resources and audiences: [ \"https://warehouse.example/orders\" ].");
        foreach (PolicyNode entry in entries ?? [])
        {
            // In the name of a resource of AWS it is a letter like another: names are compared as texts.
            string? fault = entry.Text!.Length == 0 ? "is empty" : entry.Text.Length > LongestResource ? string.Create(CultureInfo.InvariantCulture, $"is longer than {LongestResource} characters")
                : entry.Text.Contains('*', StringComparison.Ordinal) && !entry.Text.StartsWith("arn:", StringComparison.Ordinal) ? "has a * in it, which stands for nothing here" : PolicyText.FaultOf(entry.Text);
            if (fault is not null)
                errors.Add(entry, fault, "Write a name as the target has it, one per entry.");
        }
        return entries is not null && errors.Count == before ? [.. entries.Select(entry => entry.Text!)] : null;
    }

    /// <summary>A list of details as JSON text; null if it is left out or none, which is noted.</summary>
    public string? Details(PolicyObject owner)
    {
        if (owner.Find("authorizationDetails") is not { } node)
            return null;
        if (node.Kind != PolicyNodeKind.List)
            errors.Add(node, $"is {node.Described}", DetailsForm);
        else if (node.Members.Count > MostDetails)
            errors.Add(node, string.Create(CultureInfo.InvariantCulture, $"has {node.Members.Count} entries, more than {MostDetails}"), "Share them between rules.");
        else if (TextOf(node) is var json && AuthorizationDetailsCheck.FaultOfAsked(json) is { } fault)
            errors.Add(node, fault, DetailsForm);
        else
            return json;
        return null;
    }

    private static string TextOf(PolicyNode node)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
            Write(json, node);
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Write(Utf8JsonWriter json, PolicyNode node)
    {
        switch (node.Kind)
        {
            case PolicyNodeKind.Object:
                json.WriteStartObject();
                foreach ((string name, PolicyNode value) in node.Members)
                {
                    json.WritePropertyName(name);
                    Write(json, value);
                }
                json.WriteEndObject();
                break;
            case PolicyNodeKind.List:
                json.WriteStartArray();
                foreach ((_, PolicyNode entry) in node.Members)
                    Write(json, entry);
                json.WriteEndArray();
                break;
            case PolicyNodeKind.Text:
                json.WriteStringValue(node.Text);
                break;
            case PolicyNodeKind.Null:
                json.WriteNullValue();
                break;
            default:   // a number's digits or a truth value's word
                json.WriteRawValue(node.Text!);
                break;
        }
    }
}
