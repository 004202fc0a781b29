using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Random rules and requests, each written twice: in our language and in Cedar's. Few values, so that many match; among them case variants, quotes and letters beyond ASCII.</summary>
internal sealed class CedarRules(int seed)
{
    private const int Rules = 7;

    private static readonly string[] Values = ["orders", "Orders", "or\"ders", "or\\ders", "ord\u00e8rs", "a/b:c"];
    private static readonly string[] Scopes = ["sql", "files", "jobs"];
    private static readonly string[] Attributes = ["target", "issuer", "subject", "tenant", "job.dataset", "job.purpose", "claims.a", "claims.b"];

    private readonly Random _random = new(seed);

    /// <summary>A document of ours, and Cedar's policies by name.</summary>
    public (string Ours, JsonObject Cedars) Document()
    {
        var ours = new JsonArray();
        var cedars = new JsonObject();
        for (int i = 0; i < Rules; i++)
        {
            bool isPermit = _random.Next(3) > 0;
            string name = string.Create(CultureInfo.InvariantCulture, $"r{i}");
            var when = new JsonObject();
            var conditions = new List<string>();
            foreach (string attribute in _random.GetItems(Attributes, _random.Next(1, 4)).Distinct())
                Add(attribute, isPermit, when, conditions);
            if (_random.Next(4) == 0)
                AddScopes(isPermit, when, conditions);
            ours.Add(new JsonObject { ["name"] = name, ["effect"] = isPermit ? "permit" : "forbid", ["when"] = when });
            cedars[name] = $"{(isPermit ? "permit" : "forbid")}(principal, action, resource) when {{ {string.Join(" && ", conditions)} }};";
        }
        return (new JsonObject { ["version"] = 1, ["revision"] = 1, ["rules"] = ours }.ToJsonString(), cedars);
    }

    /// <summary>A request of ours, and Cedar's context.</summary>
    public (AccessRequest Ours, JsonObject Cedars) Request()
    {
        var values = Attributes.ToDictionary(attribute => attribute, attribute => attribute == "target" || _random.Next(4) > 0 ? One(Values) : null);
        string[] scopes = [.. Scopes.Where(_ => _random.Next(2) == 0)];
        var context = new JsonObject { ["scopes"] = new JsonArray([.. scopes.Select(scope => JsonValue.Create(scope))]) };
        foreach ((string attribute, string? value) in values.Where(value => value.Value is not null))
            context[CedarName(attribute)] = value;
        var request = new AccessRequest
        {
            Target = values["target"]!, TargetIssuer = "https://workspace.example/", SubjectIssuer = values["issuer"] ?? "", Subject = values["subject"] ?? "", Tenant = values["tenant"],
            Job = new JobContext { Dataset = values["job.dataset"], Purpose = values["job.purpose"] },
            Claims = new[] { "a", "b" }.Where(claim => values[$"claims.{claim}"] is not null).ToDictionary(claim => claim, claim => values[$"claims.{claim}"]!),
            Scopes = ScopeSet.Of(scopes), MaxLifetime = TimeSpan.FromHours(1), At = DateTimeOffset.UnixEpoch,
        };
        return (request, context);
    }

    private void Add(string attribute, bool isPermit, JsonObject when, List<string> conditions)
    {
        string name = CedarName(attribute), has = $"context has {name}";
        string[] some = [.. Values.Where(_ => _random.Next(3) == 0).DefaultIfEmpty(One(Values))];
        (JsonNode matcher, string condition) = _random.Next(isPermit ? 3 : 5) switch
        {
            0 => ((JsonNode)JsonValue.Create(some[0]), $"({has} && context.{name} == {Text(some[0])})"),
            1 => (new JsonObject { ["anyOf"] = List(some) }, $"({has} && {Set(some)}.contains(context.{name}))"),
            2 => (new JsonObject { ["present"] = true }, $"({has})"),
            3 => (new JsonObject { ["noneOf"] = List(some) }, $"!({has} && {Set(some)}.contains(context.{name}))"),
            _ => (new JsonObject { ["present"] = false }, $"!({has})"),
        };
        string[] path = attribute.Split('.');
        JsonObject parent = path.Length == 1 ? when : (when[path[0]] ??= new JsonObject()).AsObject();
        parent[path[^1]] = matcher;
        conditions.Add(condition);
    }

    private void AddScopes(bool isPermit, JsonObject when, List<string> conditions)
    {
        string[] some = [.. Scopes.Where(_ => _random.Next(2) == 0).DefaultIfEmpty(One(Scopes))];
        string within = $"(!context.scopes.isEmpty() && {Set(some)}.containsAll(context.scopes))";
        (string name, string condition) = _random.Next(isPermit ? 1 : 3) switch
        {
            0 => ("within", within),
            1 => ("anyOf", $"{Set(some)}.containsAny(context.scopes)"),
            _ => ("beyond", $"!{within}"),
        };
        when["scopes"] = new JsonObject { [name] = List(some) };
        conditions.Add(condition);
    }

    private string One(string[] values) => values[_random.Next(values.Length)];

    private static string CedarName(string attribute) => attribute.Replace('.', '_');

    private static JsonArray List(string[] values) => new([.. values.Select(value => JsonValue.Create(value))]);

    private static string Set(string[] values) => $"[{string.Join(", ", values.Select(Text))}]";

    private static string Text(string value)
    {
        var text = new StringBuilder("\"");
        foreach (char c in value)
            text.Append(char.IsAsciiLetterOrDigit(c) ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{{{(int)c:x}}}"));
        return text.Append('"').ToString();
    }
}
