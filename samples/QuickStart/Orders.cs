using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Serialization;
using Nhi.TokenExchange;

namespace QuickStart;

/// <summary>The job's own work: reading rows of the warehouse. It never sees a token.</summary>
internal static class Orders
{
    public static async Task<OrderPage> ReadOrdersAsync(this HttpClient http, int count) =>
        await http.GetFromJsonAsync($"api/datasets/orders/rows?from=0&count={count}", OrderJson.Default.OrderPage) ?? throw new InvalidOperationException("The warehouse answered nothing.");

    /// <summary>What a thief would do with a credential after the job.</summary>
    public static async Task<HttpStatusCode> TryAsync(this Warehouse warehouse, BearerToken credential)
    {
        using var thief = new HttpClient { BaseAddress = warehouse.Address };
        credential.ApplyTo(thief.DefaultRequestHeaders);
        using HttpResponseMessage answer = await thief.GetAsync("api/datasets/orders/rows?from=0&count=1");
        return answer.StatusCode;
    }
}

internal sealed record OrderPage(IReadOnlyList<Order> Rows);

internal sealed record Order(
    [property: JsonPropertyName("order_id")] int Id,
    [property: JsonPropertyName("ordered_on")] string OrderedOn,
    decimal Amount,
    string Currency,
    string State)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"order {Id} of {OrderedOn}: {Amount} {Currency}, {State}");
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(OrderPage))]
internal sealed partial class OrderJson : JsonSerializerContext;
