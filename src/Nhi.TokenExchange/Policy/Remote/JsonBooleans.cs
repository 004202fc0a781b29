namespace Nhi.TokenExchange;

/// <summary>Reads the two values that decide. The text <c>"true"</c> is none of them, and neither is 1.</summary>
internal static class JsonBooleans
{
    public static bool? Read(ReadOnlySpan<byte> json) => json.SequenceEqual("true"u8) ? true : json.SequenceEqual("false"u8) ? false : null;
}
