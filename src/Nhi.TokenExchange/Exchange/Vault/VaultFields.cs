using System.Text;

namespace Nhi.TokenExchange;

/// <summary>Reads the <c>data</c> of a dynamic secret: one JSON object. What can't be read is left out; its fault is noted where the answer is read.</summary>
internal static class VaultFields
{
    public static Dictionary<string, string> Read(string data)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var members = new JsonMembers(Encoding.UTF8.GetBytes(data));
        while (members.MoveNext())
        {
            if (!members.IsNull)
                fields[members.Name] = members.TextOrNumber() ?? Encoding.UTF8.GetString(members.Raw());
        }
        return fields;
    }
}
