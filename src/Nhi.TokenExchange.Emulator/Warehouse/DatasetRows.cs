using System.Globalization;
using System.Text.Json.Nodes;

namespace Nhi.TokenExchange;

/// <summary>Rows that look like a shop's and depend on the data set's name and the row's number alone.</summary>
internal static class DatasetRows
{
    public const int Total = 10_000;

    private static readonly string[] FirstNames = ["Ada", "Björn", "Chen", "Dilek", "Emeka", "Fatima", "Grace", "Hiro", "Ines", "Jan"];
    private static readonly string[] LastNames = ["Okafor", "Lindqvist", "Wei", "Yılmaz", "García", "Novak", "Tanaka", "Dubois", "Rossi", "Smith"];
    private static readonly string[] Countries = ["DE", "SE", "CN", "TR", "NG", "ES", "JP", "FR", "IT", "US"];
    private static readonly string[] Goods = ["kettle", "lamp", "desk", "chair", "shelf", "clock", "rug", "mirror", "vase", "stool"];
    private static readonly string[] Carriers = ["DHL", "UPS", "PostNord", "GLS"];
    private static readonly string[] OrderStates = ["placed", "paid", "shipped", "delivered", "returned"];

    public static bool Knows(string dataset) => dataset is "orders" or "customers" or "products" or "shipments";

    public static JsonObject Row(string dataset, int row)
    {
        ulong seed = SeededDraw.Mix(Hash(dataset) + (ulong)row);
        return dataset switch
        {
            "customers" => new JsonObject
            {
                ["customer_id"] = 1 + row,
                ["name"] = $"{Pick(FirstNames, seed, 1)} {Pick(LastNames, seed, 2)}",
                ["country"] = Pick(Countries, seed, 3),
                ["since"] = Day(seed, 4),
                ["newsletter"] = Draw(seed, 5, 2) == 1,
            },
            "products" => new JsonObject
            {
                ["product_id"] = 1 + row,
                ["name"] = Pick(Goods, seed, 1),
                ["price"] = Money(seed, 2),
                ["stock"] = Draw(seed, 3, 500),
            },
            "shipments" => new JsonObject
            {
                ["shipment_id"] = 1 + row,
                ["order_id"] = 1 + Draw(seed, 1, Total),
                ["carrier"] = Pick(Carriers, seed, 2),
                ["shipped_on"] = Day(seed, 3),
                ["weight_grams"] = 100 + Draw(seed, 4, 20_000),
            },
            _ => new JsonObject
            {
                ["order_id"] = 1 + row,
                ["customer_id"] = 1 + Draw(seed, 1, Total),
                ["ordered_on"] = Day(seed, 2),
                ["amount"] = Money(seed, 3),
                ["currency"] = "EUR",
                ["state"] = Pick(OrderStates, seed, 4),
            },
        };
    }

    private static string Pick(string[] from, ulong seed, int column) => from[Draw(seed, column, from.Length)];

    private static decimal Money(ulong seed, int column) => (100 + Draw(seed, column, 50_000)) / 100m;

    private static string Day(ulong seed, int column) =>
        new DateOnly(2024, 1, 1).AddDays(Draw(seed, column, 700)).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static int Draw(ulong seed, int column, int below) => (int)(SeededDraw.Mix(seed + (ulong)column) % (ulong)below);

    // FNV-1a.
    private static ulong Hash(string text) => text.Aggregate(14695981039346656037UL, (hash, c) => (hash ^ c) * 1099511628211UL);
}
